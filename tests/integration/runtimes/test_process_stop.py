"""Stopping process apps: asked first, killed after the grace, and gone with all that they started."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from doorward_server.domain.apps import AppState, ProcessSource
from doorward_server.domain.ids import AppId
from doorward_server.runtimes import ProcessRuntime, RestartPolicy
from doorward_server.services.runtime import Observation
from tests.integration.runtimes.conftest import QUICK
from tests.integration.runtimes.support import (
    APP,
    SERVE,
    SERVING,
    TCP,
    Recorder,
    eventually,
    first_line,
    log_of,
    program,
    runs,
)

IGNORING = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
FAMILY = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-S", "-c", os.environ["CHILD"]], stdout=subprocess.PIPE)
print("pids", os.getpid(), child.stdout.readline().decode().strip(), flush=True)
"""
"""Starts CHILD and, when that has printed a line, prints both numbers."""
SLEEPING = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"


@pytest.fixture
async def impatient(tmp_path: Path, sink: Recorder) -> AsyncIterator[ProcessRuntime]:
    """A runtime that kills after half a second."""
    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=replace(QUICK, stop_grace=0.5))
    yield runtime
    await runtime.close()


async def pids(runtime: ProcessRuntime) -> list[int]:
    """The numbers that an app with `FAMILY` has printed."""
    return [int(each) for each in (await first_line(runtime, "pids ")).split()]


async def suspend(leader: int, *others: int) -> None:
    """Suspend a process group; a signal that comes before it is would overtake SIGSTOP."""
    os.killpg(leader, signal.SIGSTOP)
    stopped = {leader, *others}
    await eventually(lambda: {psutil.Process(each).status() for each in stopped} == {psutil.STATUS_STOPPED})


async def test_sigterm_first(runtime: ProcessRuntime, sink: Recorder) -> None:
    """An app is asked to end with SIGTERM, has time to, and what it says meanwhile is in its log."""
    source = program(
        """
        import signal, sys
        def bye(*_):
            print("saving", flush=True)
            sys.exit(0)
        signal.signal(signal.SIGTERM, bye)
        """,
        SERVE,
        "serve()",
    )
    await runtime.start(APP, source, TCP)
    await sink.until(AppState.RUNNING)
    await runtime.stop(APP)
    assert [line.text for line in await log_of(runtime, tail=2)] == ["stopping", "saving"]


async def test_nothing_is_reported_afterwards(runtime: ProcessRuntime, sink: Recorder) -> None:
    """From the call of stop on nothing is reported: what stops an app says itself that it has."""
    await runtime.start(APP, SERVING, TCP)
    await sink.until(AppState.RUNNING)
    await runtime.stop(APP)
    assert sink.states() == [AppState.INITIALIZING, AppState.RUNNING]


async def test_no_late_report(tmp_path: Path) -> None:
    """A report that is under way when an app is stopped is cut short: it cannot come after what follows."""
    arrived, finished = asyncio.Event(), asyncio.Event()

    async def sink(app_id: AppId, seen: Observation) -> None:
        if seen.state is AppState.RUNNING:
            arrived.set()
            await asyncio.Event().wait()
            finished.set()

    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=QUICK)
    await runtime.start(APP, SERVING, TCP)
    await arrived.wait()
    await runtime.stop(APP)
    assert not finished.is_set()
    await runtime.close()


async def test_sigkill_after_the_grace(impatient: ProcessRuntime) -> None:
    """An app that ignores SIGTERM is killed when the grace is over."""
    await impatient.start(
        APP,
        program(IGNORING, "import os", f"os.environ['CHILD'] = {SLEEPING!r}", FAMILY, "child.wait()"),
        TCP,
    )
    parent, child = await pids(impatient)
    await impatient.stop(APP)
    assert not runs(parent)
    assert not runs(child)


async def test_grandchildren_that_ignore(impatient: ProcessRuntime) -> None:
    """What an app has started is killed too, when the app itself has ended well but that has not."""
    await impatient.start(APP, program(FAMILY, "child.wait()", CHILD=f"{IGNORING}; {SLEEPING}"), TCP)
    parent, child = await pids(impatient)
    await impatient.stop(APP)
    assert not runs(parent)
    assert not runs(child)


async def test_grandchildren_have_the_grace(runtime: ProcessRuntime) -> None:
    """A program behind a shell, which ends at once, has the whole grace to save what it has."""
    slow = """
import os, signal, sys, threading
asked = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: asked.set())
print("pids", os.getppid(), os.getpid(), flush=True)
while not asked.wait(0.05): pass
while os.getppid() == int(os.environ["SHELL_PID"]): pass
print("saved", flush=True)
"""
    source = program("import sys; print(sys.executable)")
    command = ("/bin/sh", "-c", 'export SHELL_PID=$$; "$PYTHON" -S -c "$SLOW"; exit')
    source = ProcessSource(command=command, env={"PYTHON": source.command[0], "SLOW": slow})
    await runtime.start(APP, source, TCP)
    await pids(runtime)
    await runtime.stop(APP)
    assert "saved" in [line.text for line in await log_of(runtime)]


async def test_stopped_process(impatient: ProcessRuntime) -> None:
    """An app that is suspended (SIGSTOP) is ended like any other."""
    await impatient.start(APP, program(FAMILY, "child.wait()", CHILD=SLEEPING), TCP)
    parent, child = await pids(impatient)
    await suspend(parent, child)
    await impatient.stop(APP)
    assert not runs(parent)
    assert not runs(child)


async def test_daemon_holds_the_pipes(impatient: ProcessRuntime) -> None:
    """What an app starts in a session of its own is not followed, and its open pipe delays nobody."""
    source = program(
        FAMILY.replace("stdout=subprocess.PIPE)", "start_new_session=True)").replace(
            "child.stdout.readline().decode().strip()", "child.pid"
        ),
        "child.wait()",
        CHILD="import time; time.sleep(600)",
    )
    await impatient.start(APP, source, TCP)
    _, daemon = await pids(impatient)
    await impatient.stop(APP)
    assert runs(daemon)
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(daemon).kill()
    await eventually(lambda: not runs(daemon))


async def test_stop_between_restarts(tmp_path: Path, sink: Recorder) -> None:
    """An app that waits for its next start is stopped at once, and not started again."""
    policy = RestartPolicy(first_delay=600.0, longest_delay=600.0)
    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=replace(QUICK, restarts=policy))
    await runtime.start(APP, program("raise SystemExit(1)"), TCP)
    await sink.until(AppState.INITIALIZING, times=2)
    await runtime.stop(APP)
    assert [line.text for line in await log_of(runtime)].count("stopping") == 0
    await runtime.close()


async def test_stop_right_after_start(runtime: ProcessRuntime, sink: Recorder) -> None:
    """An app that is stopped before it has begun never runs."""
    await runtime.start(APP, SERVING, TCP)
    await runtime.stop(APP)
    assert AppState.RUNNING not in sink.states()
    await runtime.start(APP, SERVING, TCP)
    await sink.until(AppState.RUNNING)


async def test_stop_what_is_unknown(runtime: ProcessRuntime) -> None:
    """Stopping and forgetting an app that was never started is fine."""
    await runtime.stop(APP)
    await runtime.forget(APP)


async def test_giving_up_on_stop(runtime: ProcessRuntime, sink: Recorder) -> None:
    """Whoever gives up waiting for a stop cuts nothing short: the app ends all the same."""
    await runtime.start(APP, program(FAMILY, "child.wait()", CHILD=SLEEPING), TCP)
    parent, child = await pids(runtime)
    await suspend(parent, child)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await runtime.stop(APP)
    os.killpg(parent, signal.SIGCONT)
    await runtime.stop(APP)
    assert not runs(parent)
    assert not runs(child)


async def test_close_stops_all(tmp_path: Path, sink: Recorder) -> None:
    """Closing stops all apps side by side: all of them are asked before the first is killed."""
    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=replace(QUICK, stop_grace=2.0))
    ids = [AppId(f"00000000-0000-4000-8000-{number:012}") for number in range(4)]
    for app_id in ids:
        await runtime.start(
            app_id,
            program(IGNORING, "import os", "print('pid', os.getpid(), flush=True)", SERVE, "serve()"),
            TCP,
        )
    numbers = [int(await first_line(runtime, "pid ", app_id=app_id)) for app_id in ids]
    began = asyncio.get_running_loop().time()
    await runtime.close()
    assert asyncio.get_running_loop().time() - began < 2.0 * len(ids)
    assert not any(runs(number) for number in numbers)


async def test_forget(runtime: ProcessRuntime, sink: Recorder, tmp_path: Path) -> None:
    """A forgotten app leaves nothing, not even a locked folder; its links take nothing else away."""
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o750)
    (kept / "file").touch()
    mischief = f"import os; os.symlink({str(kept)!r}, 'link'); os.makedirs('a/b'); os.chmod('a', 0)"
    source = program(mischief, SERVE, "serve()")
    await runtime.start(APP, source, TCP)
    await sink.until(AppState.RUNNING)
    await runtime.stop(APP)
    await runtime.forget(APP)
    assert not (tmp_path / "apps" / APP).exists()
    assert (kept / "file").exists()
    assert kept.stat().st_mode & 0o777 == 0o750


async def test_many_starts(runtime: ProcessRuntime, sink: Recorder) -> None:
    """Started and stopped over and over, an app costs no file descriptor, thread or zombie that stays."""
    me = psutil.Process()

    async def once(times: int) -> None:
        await runtime.start(APP, SERVING, TCP)
        await sink.until(AppState.RUNNING, times=times)
        await runtime.stop(APP)

    await once(1)
    before = me.num_fds(), len(me.children())
    for times in range(2, 10):
        await once(times)
    assert (me.num_fds(), len(me.children())) == before
