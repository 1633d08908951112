"""No app outlives the server, also when the server is killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from doorward_server.domain.apps import AppState
from doorward_server.runtimes import ProcessRuntime
from doorward_server.runtimes.children.proc import identify
from tests.integration.runtimes.conftest import QUICK
from tests.integration.runtimes.support import (
    APP,
    DEADLINE,
    OTHER,
    SERVE,
    SERVING,
    TCP,
    Recorder,
    eventually,
    log_of,
    program,
    runs,
    wait_until,
)

FAMILY = program(
    """
    import subprocess, sys
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    """,
    SERVE,
    "serve()",
)

SERVER = """
import asyncio, os
from pathlib import Path
from doorward_server.domain.apps import AppState, ProcessSource, Readiness
from doorward_server.runtimes import ProcessRuntime

async def main():
    ready = asyncio.Event()
    async def sink(app_id, seen):
        if seen.state is AppState.RUNNING:
            ready.set()
    runtime = ProcessRuntime(home=Path(os.environ["TEST_HOME"]), sink=sink)
    await runtime.start(os.environ["TEST_APP"], ProcessSource(command=tuple({command!r})), Readiness())
    await ready.wait()
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that runs an app, which has a child; its warden is its other child."""
    code = textwrap.dedent(SERVER.format(command=FAMILY.command))
    environment = {**os.environ, "TEST_HOME": str(tmp_path), "TEST_APP": APP}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.kill()


def family_of(server: subprocess.Popen[bytes]) -> tuple[psutil.Process, list[psutil.Process]]:
    """The warden, and the app with its child."""
    children = psutil.Process(server.pid).children()
    (warden,) = (each for each in children if "warden_main" in " ".join(each.cmdline()))
    (app,) = (each for each in children if each != warden)
    return warden, [app, *app.children()]


def test_killed_server(server: subprocess.Popen[bytes]) -> None:
    """When the server is killed, its apps end with all they have started, and the warden too."""
    warden, family = family_of(server)
    assert len(family) == 2
    server.kill()
    wait_until(lambda: not any(runs(each.pid) for each in [warden, *family]))


def test_warden_holds_no_secret(server: subprocess.Popen[bytes]) -> None:
    """The warden has nothing of the server's environment and outlives a Ctrl-C or SIGTERM to everybody."""
    warden, family = family_of(server)
    assert "TEST_HOME" not in warden.environ()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        warden.send_signal(number)
    server.kill()
    wait_until(lambda: not any(runs(each.pid) for each in family))


async def test_leftover(server: subprocess.Popen[bytes], tmp_path: Path, sink: Recorder) -> None:
    """When server and warden are both killed, the next start of the app ends what was left of it first."""
    warden, family = family_of(server)
    warden.kill()
    server.kill()
    server.wait()
    assert all(runs(each.pid) for each in family)
    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=QUICK)
    await runtime.start(APP, SERVING, TCP)
    await sink.until(AppState.RUNNING)
    assert not any(runs(each.pid) for each in family)
    assert "left behind when the server was killed" in (await log_of(runtime))[-2].text
    await runtime.close()


@pytest.mark.parametrize("call", ["stop", "forget"])
async def test_leftover_of_an_app_that_is_not_wanted(
    server: subprocess.Popen[bytes], tmp_path: Path, sink: Recorder, call: str
) -> None:
    """What is left of an app is ended too by stopping or deleting it, as the next server may be asked to."""
    warden, family = family_of(server)
    warden.kill()
    server.kill()
    server.wait()
    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=QUICK)
    await getattr(runtime, call)(APP)
    assert not any(runs(each.pid) for each in family)
    await runtime.close()


@pytest.fixture
def stranger() -> Iterator[int]:
    """The number of a process group that is none of ours."""
    command = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(command, start_new_session=True) as process:
        yield process.pid
        process.kill()


async def test_number_used_again(
    stranger: int, runtime: ProcessRuntime, sink: Recorder, tmp_path: Path
) -> None:
    """A process that has the number of a former app, but was started at another time, is left alone."""
    identity = identify(stranger)
    assert identity is not None
    folder = tmp_path / "apps" / APP
    folder.mkdir(parents=True)
    (folder / "process.json").write_text(json.dumps({"pid": stranger, "started": identity.started + "0"}))
    await runtime.start(APP, SERVING, TCP)
    await sink.until(AppState.RUNNING)
    assert runs(stranger)


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 4000,
        b'{"pid": 1, "started": ""}',
        b'{"pid": 0, "started": ""}',
        b'{"pid": -1, "started": ""}',
        b'{"pid": true, "started": ""}',
        b'{"pid": "2", "started": ""}',
        b'{"pid": 999999999999, "started": ""}',
        b'{"pid": 2}',
    ],
)
async def test_hostile_record(record: bytes, runtime: ProcessRuntime, sink: Recorder, tmp_path: Path) -> None:
    """A record that is damaged, or forged to have all or special processes killed, is ignored."""
    folder = tmp_path / "apps" / APP
    folder.mkdir(parents=True)
    (folder / "process.json").write_bytes(record)
    await runtime.start(APP, SERVING, TCP)
    await sink.until(AppState.RUNNING)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
async def test_record_that_is_no_file(
    make: Callable[[Path], None], runtime: ProcessRuntime, sink: Recorder, tmp_path: Path
) -> None:
    """An app that has put something else in its record's place still stops, starts and goes."""
    folder = tmp_path / "apps" / APP
    folder.mkdir(parents=True)
    make(folder / "process.json")
    async with asyncio.timeout(DEADLINE):
        await runtime.stop(APP)
        await runtime.start(APP, SERVING, TCP)
        await sink.until(AppState.RUNNING)
        await runtime.stop(APP)
        await runtime.forget(APP)
    assert not folder.exists()


async def test_killed_warden(runtime: ProcessRuntime, sink: Recorder) -> None:
    """When somebody kills the warden, the next one knows of the apps that run already."""
    me = psutil.Process()
    before = set(me.children())
    await runtime.start(APP, SERVING, TCP)
    await sink.until(AppState.RUNNING)
    (warden,) = (each for each in me.children() if "warden_main" in " ".join(each.cmdline()))
    (app,) = set(me.children()) - before - {warden}
    warden.kill()
    await eventually(lambda: warden.status() == psutil.STATUS_ZOMBIE)
    await runtime.start(OTHER, SERVING, TCP)
    await sink.until(AppState.RUNNING, app_id=OTHER)
    # It ends what is on its list.
    await asyncio.to_thread(runtime._machine.warden.close)
    await eventually(lambda: not runs(app.pid))
