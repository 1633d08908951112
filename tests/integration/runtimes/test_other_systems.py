"""The same promises where the kernel offers less than Linux does: no pidfd, no /proc."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from doorward_server.domain.apps import AppState
from doorward_server.runtimes import ProcessRuntime
from doorward_server.runtimes.children import proc
from doorward_server.runtimes.children.proc import identify
from tests.integration.runtimes.conftest import QUICK
from tests.integration.runtimes.support import APP, SERVE, TCP, Recorder, first_line, program, runs

FAMILY = program(
    """
    import os, signal, subprocess, sys
    child = subprocess.Popen([sys.executable, "-S", "-c", os.environ["CHILD"]], stdout=subprocess.PIPE)
    print("pids", os.getpid(), child.stdout.readline().decode().strip(), flush=True)
    """,
    SERVE,
    "serve()",
    CHILD="""
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(600)
""",
)


@pytest.fixture(params=["no pidfd", "no /proc", "neither"])
def lesser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that offers less."""
    if request.param != "no /proc":
        monkeypatch.delattr(os, "pidfd_open")
    if request.param != "no pidfd":
        monkeypatch.setattr(proc, "LINUX", False)


@pytest.mark.usefixtures("lesser")
async def test_whole_life(tmp_path: Path, sink: Recorder) -> None:
    """An app is started, restarted when it is killed, and stopped with all that it has started."""
    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=replace(QUICK, stop_grace=0.5))
    await runtime.start(APP, FAMILY, TCP)
    await sink.until(AppState.RUNNING)
    first = [int(each) for each in (await first_line(runtime, "pids ")).split()]
    os.kill(first[0], signal.SIGKILL)
    crashed = await sink.until(AppState.INITIALIZING, times=2)
    assert crashed.message.startswith("was killed by SIGKILL")
    await sink.until(AppState.RUNNING, times=2)
    assert not any(runs(each) for each in first)
    await runtime.stop(APP)
    lines = [line.text async for line in runtime.logs(APP, tail=None, follow=False)]
    numbers = [int(each) for line in lines if line.startswith("pids") for each in line.split()[1:]]
    assert len(numbers) == 4
    assert not any(runs(each) for each in numbers)
    await runtime.close()


def test_identity_by_ps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without /proc, ps tells which process has a number now."""
    monkeypatch.setattr(proc, "LINUX", False)
    mine = identify(os.getpid())
    assert mine is not None
    assert mine == identify(os.getpid())
    assert mine != identify(os.getppid())
    assert identify(2**22 + 1) is None
