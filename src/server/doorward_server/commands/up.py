"""`doorward up`: everything on one machine."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import click
import grpc
from grpc_health.v1 import health_pb2

from doorward_server.bootstrap.sockets import all_sockets, check_sockets, envoy_admin_socket, web_socket
from doorward_server.commands.faults import reports_faults
from doorward_server.domain.credentials import Secret
from doorward_server.gateway.config import UnixAddress
from doorward_server.gateway.run import await_check, await_ready, check_port_is_free
from doorward_server.home import (
    admin_token_file,
    connectable,
    locked,
    make_home,
    published_endpoints,
)
from doorward_server.metrics.listening import free_port
from doorward_server.run_folder import owned_sockets, run_folder
from doorward_server.runtimes.children.restarts import RestartPolicy
from doorward_server.settings import Settings, SettingsError, load_settings
from doorward_server.supervisor import Child, Output, Timing, as_it_is, named, supervise
from doorward_server.web.health import is_healthy

_READY_TIMEOUT = 30.0
_POLL_SECONDS = 0.05
_HEALTH_TIMEOUT = 1.0
_RESTARTS = RestartPolicy(crashes=None, window=60.0, longest_delay=2.0)
"""What a process could not stand, such as a database that is away, may be over at any moment."""


@click.command(
    short_help="Run api, check, web and Envoy on this machine.",
    epilog="\b\nExamples:\n  doorward up\n  DOORWARD_ENVOY_PORT=9080 DOORWARD_HOME=/srv/doorward doorward up",
)
@reports_faults
def up() -> None:
    """Run api, check, web and Envoy on this machine until Ctrl-C, and keep everything in one folder.

    The first time, the ADMIN token is printed and written to a file. Every setting is an environment variable
    that begins with DOORWARD_.
    """
    from doorward_server.bootstrap.setup import prepare

    began = time.monotonic()
    settings = load_settings()
    make_home(settings.home)
    with ExitStack() as stack:
        stack.enter_context(locked(settings.home))
        run = stack.enter_context(run_folder(settings))
        settings = _pinned(settings, run)
        stack.enter_context(owned_sockets(all_sockets(settings)))
        metrics = _metrics_ports(settings)
        secret = asyncio.run(prepare(settings))
        output = Output(line_format=as_it_is if settings.log_format == "json" else named)
        stack.callback(output.close)

        def on_ready() -> None:
            stack.enter_context(published_endpoints(settings, metrics=metrics))
            click.echo(_welcome(settings, secret, seconds=time.monotonic() - began))

        status = asyncio.run(
            supervise(
                _children(settings, metrics),
                on_ready=on_ready,
                output=output,
                timing=Timing(
                    ready_timeout=_READY_TIMEOUT, stop_grace=settings.shutdown_grace + 5, restarts=_RESTARTS
                ),
            )
        )
    sys.exit(status)


def _pinned(settings: Settings, run: Path) -> Settings:
    """The settings that every child gets: absolute paths, and ports that stay the same when one restarts."""
    given: dict[str, object] = {"home": settings.home.absolute(), "run_dir": run}
    for name in ("process_runtime", "login_enabled"):
        if name not in settings.model_fields_set:
            given[name] = True
    for name, address_name in (("envoy_port", "listen_address"), ("api_port", "api_listen_address")):
        port, address = getattr(settings, name), getattr(settings, address_name)
        check_port_is_free(address, port, setting=name, address_setting=address_name)
        given[name] = port or _free_port(address)
    return settings.model_copy(update=given)


def _metrics_ports(settings: Settings) -> dict[str, int]:
    """The port of each process's metrics, the same when it is started again; none when they are off.

    Raises `SettingsError`, `MetricsListenError`.
    """
    if settings.metrics_port is None:
        return {}
    names = ["api", *(f"check-{index}" for index in range(settings.check_processes))]
    address, first = settings.metrics_address, settings.metrics_port
    others = {settings.envoy_port, settings.api_port}
    if first:
        wanted = range(first, first + len(names))
        if wanted[-1] > 65535 or not others.isdisjoint(wanted):
            raise SettingsError(
                f"metrics_port: api and check take the ports from {wanted[0]} to {wanted[-1]}, which must be"
                " ports and neither envoy_port nor api_port"
            )
        return {name: free_port(address, port) for name, port in zip(names, wanted, strict=True)}
    ports: dict[str, int] = {}
    for name in names:
        # The system may give out a port that is set aside already, but nobody listens on yet.
        while (port := free_port(address, 0)) in {*others, *ports.values()}:
            pass
        ports[name] = port
    return ports


def _children(settings: Settings, metrics: Mapping[str, int]) -> list[Child]:
    """The processes, in the order in which they are started; the last one is stopped first."""
    return [
        _child(settings, "api", ready=_healthy(settings.api_socket), metrics_port=metrics.get("api")),
        *(
            _child(
                settings,
                "check",
                name=f"check-{index}",
                ready=_healthy(path),
                check_index=index,
                metrics_port=metrics.get(f"check-{index}"),
            )
            for index, path in enumerate(check_sockets(settings))
        ),
        *([_child(settings, "web", ready=_answers(web_socket(settings)))] if settings.login_enabled else []),
        _child(settings, "envoy", ready=_envoy_ready(UnixAddress(envoy_admin_socket(settings)))),
    ]


def _child(
    settings: Settings,
    command: str,
    *,
    ready: Callable[[], Awaitable[None]],
    name: str | None = None,
    **given: object,
) -> Child:
    """*given*: settings of this process alone; None leaves one as it is."""
    pinned = {
        "home": settings.home,
        "run_dir": settings.run_dir,
        "envoy_port": settings.envoy_port,
        "api_port": settings.api_port,
        "process_runtime": settings.process_runtime,
        "login_enabled": settings.login_enabled,
        **given,
    }
    return Child(
        name=name or command,
        argv=(sys.executable, "-P", "-m", "doorward_server", command),
        env={
            **os.environ,
            **{f"DOORWARD_{key.upper()}": str(value) for key, value in pinned.items() if value is not None},
        },
        ready=ready,
    )


def _healthy(path: Path) -> Callable[[], Awaitable[None]]:
    """Waits until the gRPC server on a Unix socket says that it serves."""

    async def wait() -> None:
        while not await _serves(path):  # noqa: ASYNC110 - another process cannot set an event
            await asyncio.sleep(_POLL_SECONDS)

    return wait


async def _serves(path: Path) -> bool:
    # A pool of its own: channels of one target share what is left of a failed attempt, and its back-off.
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"unix:{path}", options) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await check(health_pb2.HealthCheckRequest(), timeout=_HEALTH_TIMEOUT)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _answers(path: Path) -> Callable[[], Awaitable[None]]:
    """Waits until the web process on a Unix socket says that a login would be answered."""

    async def wait() -> None:
        while not await is_healthy(path):  # noqa: ASYNC110 - another process cannot set an event
            await asyncio.sleep(_POLL_SECONDS)

    return wait


def _envoy_ready(admin_socket: UnixAddress) -> Callable[[], Awaitable[None]]:
    async def wait() -> None:
        await await_ready(admin_socket, timeout=_READY_TIMEOUT)
        # Envoy asks a replica's health a moment after the replica says that it serves.
        await await_check(admin_socket, timeout=_READY_TIMEOUT)

    return wait


def _free_port(address: str) -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def _welcome(settings: Settings, secret: Secret | None, *, seconds: float) -> str:
    """What a person needs to know once everything runs."""
    host = connectable(settings.listen_address)
    rows = [
        ("REST", f"http://{host}:{settings.envoy_port}/v1/apps"),
        ("gRPC", f"{connectable(settings.api_listen_address)}:{settings.api_port}"),
        *(
            [("console", f"{settings.public_scheme}://{settings.console_host}:{settings.app_port}")]
            if settings.login_enabled
            else []
        ),
        *(
            (f"apps in {name}", f"{settings.public_scheme}://<app_id>.{domain}:{settings.app_port}")
            for name, domain in settings.regions.items()
        ),
        ("kept in", str(settings.home)),
    ]
    lines = [
        f"Doorward is ready after {seconds:.1f} s. Ctrl-C stops it.",
        *(f"  {name:<12} {where}" for name, where in rows),
    ]
    if secret is not None:
        lines += [
            "",
            f"ADMIN token, shown this once and kept in {admin_token_file(settings)}:",
            f"  {secret.reveal()}",
        ]
    return "\n".join(lines)
