"""Programs are stopped in order, whenever they are asked to."""

import asyncio
import os
import signal
from dataclasses import replace

import pytest

from doorward_server.runtimes import RestartPolicy
from doorward_server.supervisor import supervise
from tests.integration.runtimes.support import DEADLINE, eventually, runs
from tests.integration.supervisor.family import IGNORING, QUICK, Family, interrupt, supervised


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_stops_in_reverse(family: Family, number: signal.Signals) -> None:
    """At a signal the children stop one after the other, the last one first; the exit status is 0."""
    names = ["api", "check", "envoy"]
    async with supervised(family, *map(family.child, names)) as task:
        interrupt(number)
        assert await task == 0
    ends = [note.split()[1] for note in family.notes() if note.startswith("ends")]
    assert ends == ["envoy", "check", "api"]


async def test_stop_between_restarts(family: Family) -> None:
    """A supervisor that waits to restart a child stops at once all the same."""
    timing = replace(QUICK, restarts=RestartPolicy(crashes=None, first_delay=600.0, longest_delay=600.0))
    async with supervised(family, family.child("api"), timing=timing) as task:
        os.kill(family.pids("api")[0], signal.SIGKILL)
        await eventually(lambda: any("restarting in 600 s" in line for line in family.lines()))
        interrupt()
        assert await task == 0


async def test_signal_while_starting(family: Family) -> None:
    """A signal before all are ready stops what was started; that is no failure."""
    waiting = family.child("check", 'note("begins")', "time.sleep(600)")
    task = asyncio.create_task(
        supervise([waiting], on_ready=lambda: None, output=family.output, timing=QUICK)
    )
    await family.noted("begins")()
    interrupt()
    async with asyncio.timeout(DEADLINE):
        assert await task == 0


async def test_killed_after_the_grace(family: Family) -> None:
    """A child that ignores SIGTERM is killed after the grace, with what it has started."""
    starting = """
    import subprocess
    other = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    note(f"other {other.pid}")
    """
    timing = replace(QUICK, stop_grace=0.3)
    async with supervised(family, family.child("api", IGNORING, starting), timing=timing) as task:
        other = int(family.notes()[0].split()[1])
        interrupt()
        assert await task == 0
    assert not runs(other)


async def test_second_signal(family: Family) -> None:
    """Whoever presses Ctrl-C twice does not want to wait: the second signal kills."""
    async with supervised(family, family.child("api", IGNORING), family.child("check", IGNORING)) as task:
        interrupt(signal.SIGINT)
        await asyncio.sleep(0)
        interrupt(signal.SIGINT)
        async with asyncio.timeout(DEADLINE / 2):
            assert await task == 0
