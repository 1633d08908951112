"""A supervisor as a program of its own: whatever ends it, nothing of it is left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.runtimes.support import DEADLINE, runs, wait_until

PROGRAM = """
import asyncio, os, sys
from doorward_server.supervisor import Child, Output, Timing, supervise

async def ready():
    while not os.path.exists(os.environ["NOTES"]):
        await asyncio.sleep(0.01)

code = '''
import os, subprocess, sys, time
other = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
with open(os.environ["NOTES"] + ".new", "w") as file:
    file.write(f"{os.getpid()} {other.pid}")
os.rename(os.environ["NOTES"] + ".new", os.environ["NOTES"])
time.sleep(600)
'''
child = Child(name="api", argv=[sys.executable, "-S", "-c", code], env=dict(os.environ), ready=ready)
announce = lambda: print("ready", flush=True)
sys.exit(asyncio.run(supervise([child], on_ready=announce, output=Output(), timing=Timing(stop_grace=2.0))))
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A supervisor as a program of its own, leading a process group as under a shell, ready."""
    environment = {**os.environ, "NOTES": str(tmp_path / "notes")}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.kill()


def all_of(program: subprocess.Popen[bytes]) -> list[int]:
    """The numbers of all that the supervisor has started, directly or not."""
    found = [each.pid for each in psutil.Process(program.pid).children(recursive=True)]
    assert len(found) == 3, "the child, what that has started, and the warden"
    return found


def test_killed(program: subprocess.Popen[bytes]) -> None:
    """When the supervisor is killed with SIGKILL, its children end with all that they have started."""
    family = all_of(program)
    program.kill()
    wait_until(lambda: not any(runs(pid) for pid in family))


def test_control_c(program: subprocess.Popen[bytes]) -> None:
    """A terminal's Ctrl-C, which goes to a whole group, reaches the supervisor alone: it stops the others."""
    family = all_of(program)
    assert {os.getpgid(pid) for pid in family}.isdisjoint({program.pid})
    os.killpg(program.pid, signal.SIGINT)
    assert program.wait(DEADLINE) == 0
    assert not any(runs(pid) for pid in family)


def test_nobody_reads(program: subprocess.Popen[bytes]) -> None:
    """The supervisor stops its children also when nobody reads its output any more."""
    family = all_of(program)
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdout.close()
    program.stderr.close()
    program.terminate()
    assert program.wait(DEADLINE) == 0
    wait_until(lambda: not any(runs(pid) for pid in family))
