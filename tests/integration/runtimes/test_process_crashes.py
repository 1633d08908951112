"""Process apps that crash: restarted, and given up."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from doorward_server.domain.apps import AppState
from doorward_server.runtimes import ProcessRuntime, RestartPolicy
from doorward_server.services.runtime import LogStream
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

ANNOUNCED = program("import os; print('pid', os.getpid(), flush=True)", SERVE, "serve()")


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("raise SystemExit(3)", "exited with status 3"),
        ("pass", "exited with status 0"),
        ("import os; os.kill(os.getpid(), 9)", "was killed by SIGKILL"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 5)", "was killed by signal 39"),
    ],
)
async def test_crash_loop(runtime: ProcessRuntime, sink: Recorder, code: str, how: str) -> None:
    """An app that ends again and again, whatever its status, has FAILED; the message says how it ended."""
    await runtime.start(APP, program("print('begun', flush=True)", code), TCP)
    failed = await sink.until(AppState.FAILED)
    assert failed.message == f"{how}; 4 crashes within 60 s"
    assert [line.text for line in await log_of(runtime)].count("begun") == 4
    assert sink.states()[-1] is AppState.FAILED
    assert set(sink.states()[:-1]) == {AppState.INITIALIZING}


async def test_restart_notes(runtime: ProcessRuntime, sink: Recorder) -> None:
    """The platform notes each start, crash and delay, which grows, and the end in the log."""
    await runtime.start(APP, program("raise SystemExit(3)"), TCP)
    await sink.until(AppState.FAILED)
    log = await log_of(runtime)
    assert {line.stream for line in log} == {LogStream.PLATFORM}
    said = [line.text for line in log]
    assert [text for text in said if not text.startswith("started")] == [
        "exited with status 3; restarted after 0.05 s",
        "exited with status 3; restarted after 0.06 s",
        "exited with status 3; restarted after 0.072 s",
        "given up: exited with status 3; 4 crashes within 60 s",
    ]
    ports = [text.rpartition(" ")[2] for text in said if text.startswith("started")]
    assert len(set(ports)) == 4, "each attempt has a new port: the last one may be what it failed for"


async def test_crash_while_running(runtime: ProcessRuntime, sink: Recorder) -> None:
    """An app that crashes is not served until it is ready again, at another address."""
    await runtime.start(APP, ANNOUNCED, TCP)
    before = await sink.until(AppState.RUNNING)
    os.kill(int(await first_line(runtime, "pid ")), signal.SIGKILL)
    again = await sink.until(AppState.RUNNING, times=2)
    lost = await sink.until(AppState.INITIALIZING, times=2)
    assert lost.message == "was killed by SIGKILL; restarted after 0.05 s"
    assert lost.address is None
    assert again.address != before.address


async def test_crash_leaves_nothing(runtime: ProcessRuntime, sink: Recorder) -> None:
    """What a crashed app had started is ended before the app is started again."""
    await runtime.start(
        APP,
        program(
            """
            import subprocess, sys
            child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
            print("child", child.pid, flush=True)
            sys.exit(1)
            """
        ),
        TCP,
    )
    child = int(await first_line(runtime, "child "))
    await sink.until(AppState.FAILED)
    assert not runs(child)


async def test_stubborn_remains(tmp_path: Path, sink: Recorder) -> None:
    """A crashed app is reported at once, and not only when the last of what it had started is gone."""
    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=QUICK)
    await runtime.start(
        APP,
        program(
            """
            import os, signal, subprocess, sys
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
            print("child", child.pid, flush=True)
            sys.exit(1)
            """
        ),
        TCP,
    )
    await sink.until(AppState.INITIALIZING, times=2)
    child = int(await first_line(runtime, "child "))
    assert runs(child), "it ignores SIGTERM, and the grace is long"
    os.kill(child, signal.SIGKILL)
    await eventually(lambda: not runs(child))
    stop_quickly(runtime)
    await runtime.close()


def stop_quickly(runtime: ProcessRuntime) -> None:
    """Have whatever still ignores SIGTERM killed without more waiting."""
    for run in runtime._runs.values():
        run._options = replace(run._options, stop_grace=0.1)


async def test_window(tmp_path: Path, sink: Recorder) -> None:
    """Crashes that lie further apart than the window never add up: the app is restarted for ever."""
    policy = RestartPolicy(first_delay=0.05, longest_delay=0.05, crashes=2, window=0.01)
    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=replace(QUICK, restarts=policy))
    await runtime.start(APP, program("raise SystemExit(3)"), TCP)
    await sink.until(AppState.INITIALIZING, times=5)
    assert AppState.FAILED not in sink.states()
    await runtime.close()


async def test_shortage(runtime: ProcessRuntime, sink: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine lacks only for a moment is tried again; when it stays away, that is an ERROR."""

    def no_memory(*args: object, **kwargs: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patched:
        patched.setattr("doorward_server.runtimes.children.groups.subprocess.Popen", no_memory)
        await runtime.start(APP, SERVING, TCP)
        error = await sink.until(AppState.ERROR)
    assert error.message == "the server is short of resources: Resource temporarily unavailable"
    assert sink.states().count(AppState.INITIALIZING) == 4


async def test_our_own_defect(
    runtime: ProcessRuntime, sink: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect of the runtime shows on the app as an ERROR, and its process is ended."""

    async def broken(*args: object, **kwargs: object) -> None:
        raise AssertionError("a defect")

    monkeypatch.setattr("doorward_server.runtimes.process_run.probe", broken)
    await runtime.start(APP, ANNOUNCED, TCP)
    error = await sink.until(AppState.ERROR)
    assert error.message == "the platform failed to run the app"
    await eventually(lambda: runtime._runs[APP].over)
