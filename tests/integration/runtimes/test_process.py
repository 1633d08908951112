"""Process apps: from start to ready, and what they are given."""

import asyncio
import json
import socket
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from doorward_server.domain.apps import AppState, ExternalSource, ProcessSource, Readiness
from doorward_server.domain.errors import InvalidFieldsError
from doorward_server.domain.ids import AppId
from doorward_server.domain.policy import Address
from doorward_server.runtimes import ProcessRuntime
from doorward_server.services.runtime import Observation, RuntimeDisabledError
from tests.integration.runtimes.conftest import QUICK
from tests.integration.runtimes.support import (
    APP,
    HTTP,
    OTHER,
    SERVE,
    SERVING,
    TCP,
    Recorder,
    eventually,
    first_line,
    program,
    runs,
)

SHOW = """
import json, os, sys
print("shown", json.dumps([dict(os.environ), sys.argv, os.getcwd()]), flush=True)
"""


async def shown(runtime: ProcessRuntime) -> tuple[dict[str, str], list[str], str]:
    """The environment, arguments and folder that an app with `SHOW` has."""
    environment, argv, folder = json.loads(await first_line(runtime, "shown "))
    return environment, argv, folder


@pytest.mark.parametrize("readiness", [TCP, HTTP], ids=["tcp", "http"])
async def test_ready(runtime: ProcessRuntime, sink: Recorder, readiness: Readiness) -> None:
    """An app is INITIALIZING until its probe succeeds, then RUNNING at the address where it listens."""
    await runtime.start(APP, SERVING, readiness)
    running = await sink.until(AppState.RUNNING)
    assert sink.states() == [AppState.INITIALIZING, AppState.RUNNING]
    assert running.address is not None
    assert running.address.host == "127.0.0.1"
    with socket.create_connection((running.address.host, running.address.port), timeout=5):
        pass


async def test_port_argument(runtime: ProcessRuntime, sink: Recorder) -> None:
    """`{port}` in the arguments is the port that PORT says, wherever it stands in them."""
    source = program(SHOW, SERVE, "serve()")
    await runtime.start(APP, replace(source, command=(*source.command, "--bind=[::]:{port}/{port}")), TCP)
    environment, argv, _ = await shown(runtime)
    port = environment["PORT"]
    assert argv[1:] == [f"--bind=[::]:{port}/{port}"]
    assert (await sink.until(AppState.RUNNING)).address == Address(host="127.0.0.1", port=int(port))


async def test_environment(runtime: ProcessRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app gets its own variables and a minimum of ours: no setting and no secret of the server."""
    for name in ("DOORWARD_DATABASE_URL", "DOORWARD_TOKEN", "AWS_SECRET_ACCESS_KEY", "PYTHONPATH"):
        monkeypatch.setenv(name, "not for apps")
    await runtime.start(APP, program(SHOW, MODEL="llama", PORT="1", PATH="/own"), TCP)
    environment, _, _ = await shown(runtime)
    assert environment["MODEL"] == "llama"
    assert environment["PORT"] != "1"
    assert environment["PATH"] == "/own"
    assert "not for apps" not in environment.values()
    assert set(environment) <= {
        "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "MODEL", "PATH", "PORT", "TMPDIR", "TZ", "USER"
    }  # fmt: skip


async def test_no_shell(runtime: ProcessRuntime) -> None:
    """Arguments reach the program as they are: no shell reads them."""
    hostile = ("$HOME", "; touch x", "`id`", "a b", "*", "")
    source = program(SHOW)
    await runtime.start(APP, replace(source, command=(*source.command, *hostile)), TCP)
    _, argv, _ = await shown(runtime)
    assert tuple(argv[1:]) == hostile


async def test_own_folder(runtime: ProcessRuntime, tmp_path: Path) -> None:
    """Without a working_dir, an app runs in a folder of its own that no other user can enter."""
    await runtime.start(APP, program(SHOW), TCP)
    _, _, folder = await shown(runtime)
    assert Path(folder) == tmp_path / "apps" / APP / "work"
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "apps" / APP, Path(folder))} == {0o700}


async def test_working_dir(runtime: ProcessRuntime, tmp_path: Path) -> None:
    """With a working_dir, an app runs there, and a relative program is looked up there."""
    folder = tmp_path / "models"
    folder.mkdir()
    script = folder / "serve"
    script.write_text(f"#!{sys.executable} -S\n{SHOW}\n")
    script.chmod(0o755)
    await runtime.start(APP, ProcessSource(command=("./serve",), working_dir=str(folder)), TCP)
    assert (await shown(runtime))[2] == str(folder)


@pytest.mark.parametrize("path", ["models", "./models", "/nowhere/at/all", "/etc/passwd"])
def test_check_working_dir(path: str, tmp_path: Path, sink: Recorder) -> None:
    """A folder that is relative, missing or a file is refused before an app is made, and its field named."""
    runtime = ProcessRuntime(home=tmp_path, sink=sink)
    with pytest.raises(InvalidFieldsError, match=r"app\.spec\.process\.working_dir"):
        runtime.check(ProcessSource(command=("x",), working_dir=path))


async def test_foreign_source(runtime: ProcessRuntime) -> None:
    """An external app is none that this runtime runs."""
    source = ExternalSource(address=Address(host="10.0.0.1", port=80))
    with pytest.raises(RuntimeDisabledError):
        runtime.check(source)
    with pytest.raises(RuntimeDisabledError):
        await runtime.start(APP, source, TCP)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("no-such-program-here",), "there is no such program"),
        (("./no-such-program-here",), "there is no such program"),
        (("/etc/passwd",), "not one that the server may execute"),
        (("/",), "not one that the server may execute"),
        ((sys.executable, "nul\0byte"), "one that no program can get"),
        ((sys.executable, "x" * 3_000_000), "too long"),
    ],
    ids=["not in PATH", "not in the folder", "no program", "a folder", "NUL", "too long"],
)
async def test_cannot_be_executed(
    runtime: ProcessRuntime, sink: Recorder, command: tuple[str, ...], reason: str
) -> None:
    """A command that cannot be executed has FAILED at once; the message says why and shows no value."""
    await runtime.start(APP, ProcessSource(command=command, env={"KEY": "hush"}), TCP)
    failed = await sink.until(AppState.FAILED)
    assert reason in failed.message
    assert "hush" not in failed.message
    assert sink.states() == [AppState.INITIALIZING, AppState.FAILED]


async def test_unknown_format(runtime: ProcessRuntime, sink: Recorder, tmp_path: Path) -> None:
    """An executable file that is no program has FAILED at once, and the log names it."""
    junk = tmp_path / "junk"
    junk.write_bytes(b"\x00\x01\x02\x03")
    junk.chmod(0o755)
    await runtime.start(APP, ProcessSource(command=(str(junk),)), TCP)
    assert "cannot execute" in (await sink.until(AppState.FAILED)).message
    assert str(junk) in await first_line(runtime, "the command cannot be run")


async def test_folder_that_went(runtime: ProcessRuntime, sink: Recorder, tmp_path: Path) -> None:
    """An app whose working_dir has gone since it was made has FAILED with that reason."""
    await runtime.start(APP, replace(SERVING, working_dir=str(tmp_path / "gone")), TCP)
    assert "working_dir must be a folder" in (await sink.until(AppState.FAILED)).message


@pytest.mark.parametrize(
    ("in_the_way", "says"),
    [(f"apps/{APP}", "folder cannot be made"), ("apps/ports.new/x", "no port can be given to it")],
)
async def test_platform_fault(tmp_path: Path, sink: Recorder, in_the_way: str, says: str) -> None:
    """What is no fault of the app is an ERROR: here the server's folder cannot be written."""
    (tmp_path / in_the_way).parent.mkdir(parents=True)
    (tmp_path / in_the_way).write_text("in the way")
    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=QUICK)
    await runtime.start(APP, SERVING, TCP)
    assert says in (await sink.until(AppState.ERROR)).message
    await runtime.close()


async def test_not_ready_in_time(tmp_path: Path, sink: Recorder) -> None:
    """An app that is not ready before the deadline has FAILED, is told why, and does not run any more."""
    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=replace(QUICK, startup_timeout=1.0))
    source = program(SERVE, "print('pid', os.getpid(), flush=True)", "serve(lambda: b'HTTP/1.1 503 Busy')")
    await runtime.start(APP, source, HTTP)
    pid = int(await first_line(runtime, "pid "))
    assert (await sink.until(AppState.FAILED)).message == "not ready within 1 s: GET is answered 503"
    await eventually(lambda: not runs(pid))
    assert sink.states() == [AppState.INITIALIZING, AppState.FAILED]
    await runtime.close()


async def test_readiness_lost_and_found(runtime: ProcessRuntime, sink: Recorder, tmp_path: Path) -> None:
    """An app that fails enough probes in a row is INITIALIZING, thus not served, until one succeeds."""
    source = program(
        SERVE, "serve(lambda: b'HTTP/1.1 500 Oh' if os.path.exists('sick') else b'HTTP/1.1 204 Fine')"
    )
    await runtime.start(APP, source, HTTP)
    await sink.until(AppState.RUNNING)
    sick = tmp_path / "apps" / APP / "work" / "sick"
    sick.touch()
    lost = await sink.until(AppState.INITIALIZING, times=2)
    assert lost == Observation(state=AppState.INITIALIZING, message="not ready any more: GET is answered 500")
    sick.unlink()
    again = await sink.until(AppState.RUNNING, times=2)
    assert again == (await sink.until(AppState.RUNNING))
    assert await first_line(runtime, "not ready any more: ") == "GET is answered 500"


async def test_start_is_idempotent(runtime: ProcessRuntime, sink: Recorder) -> None:
    """Starting an app that runs does nothing: it goes on, and only one of it does."""
    await runtime.start(APP, SERVING, TCP)
    running = await sink.until(AppState.RUNNING)
    await runtime.start(APP, SERVING, TCP)
    await runtime.start(OTHER, SERVING, TCP)
    await sink.until(AppState.RUNNING, app_id=OTHER)
    assert sink.seen[APP] == [Observation(state=AppState.INITIALIZING), running]


async def test_start_after_failure(runtime: ProcessRuntime, sink: Recorder, tmp_path: Path) -> None:
    """An app that has failed can be started again, with another source."""
    await runtime.start(APP, ProcessSource(command=("no-such-program-here",)), TCP)
    await sink.until(AppState.FAILED)
    await runtime.start(APP, SERVING, TCP)
    await sink.until(AppState.RUNNING)


async def test_two_apps_two_ports(runtime: ProcessRuntime, sink: Recorder) -> None:
    """No two apps are given one port, also when they start at the same time."""
    ids = [AppId(f"00000000-0000-4000-8000-{number:012}") for number in range(6)]
    await asyncio.gather(*(runtime.start(app_id, SERVING, TCP) for app_id in ids))
    addresses = [(await sink.until(AppState.RUNNING, app_id=app_id)).address for app_id in ids]
    assert len(set(addresses)) == len(ids)


async def test_failing_sink(tmp_path: Path) -> None:
    """What the sink does not take is delivered again: a database that is away loses no state."""
    taken = Recorder()
    faults = iter([OSError("away")])

    async def sink(app_id: AppId, seen: Observation) -> None:
        if seen.state is AppState.RUNNING and (fault := next(faults, None)):
            raise fault
        await taken(app_id, seen)

    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=QUICK)
    await runtime.start(APP, SERVING, TCP)
    await taken.until(AppState.RUNNING)
    await runtime.close()


async def test_slow_sink(tmp_path: Path) -> None:
    """A sink that hangs does not keep an app from being watched, nor from being stopped."""
    entered = asyncio.Event()

    async def sink(app_id: AppId, seen: Observation) -> None:
        entered.set()
        await asyncio.Event().wait()

    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=QUICK)
    await runtime.start(APP, program("pass"), TCP)
    await entered.wait()
    assert await first_line(runtime, "given up: exited with status 0")
    await runtime.stop(APP)
    await runtime.close()


async def test_closed(runtime: ProcessRuntime) -> None:
    """A runtime that is closed starts nothing."""
    await runtime.close()
    with pytest.raises(RuntimeError, match="closed"):
        await runtime.start(APP, SERVING, TCP)


async def test_probe_period(runtime: ProcessRuntime, sink: Recorder) -> None:
    """An app that starts quickly is noticed long before its period is over."""
    await runtime.start(APP, SERVING, Readiness(period=timedelta(seconds=60)))
    await sink.until(AppState.RUNNING)


async def test_arguments_reach_no_message(runtime: ProcessRuntime, sink: Recorder) -> None:
    """A secret in the arguments or environment is in no message and no note of the platform."""
    source = program("raise SystemExit(7)", KEY="hush-env")
    await runtime.start(APP, replace(source, command=(*source.command, "hush-argument")), TCP)
    await sink.until(AppState.FAILED)
    said = " ".join(each.message for each in sink.seen[APP])
    said += " ".join([line.text async for line in runtime.logs(APP, tail=None, follow=False)])
    assert "hush" not in said
