"""The web process: one Unix socket for Envoy, one channel to api."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
import uvicorn
from grpc_health.v1 import health_pb2

from doorward_server.services.boottime import boottime
from doorward_server.stopping import stop_signals
from doorward_server.web.app import ByHost, make_app
from doorward_server.web.attempts import Attempts
from doorward_server.web.console.app import make_console
from doorward_server.web.console.visit import Platform
from doorward_server.web.hosts import AppHosts
from doorward_server.web.listening import listening
from doorward_server.web.login import LoginPages
from doorward_server.web.logins import ApiLogins
from doorward_server.web.pages import Pages
from doorward_server.web.throttle import Throttle

_log = logging.getLogger(__name__)

_HEALTH_SECONDS: Final = 1.0
_MOST_CONNECTIONS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """What a web process is told."""

    api_target: str
    """gRPC target of api, such as `unix:/run/doorward/api.sock` or `api.example:8081`."""
    api_root_certificates: bytes | None = None
    """PEM certificates that are trusted to name api. None: no TLS."""
    console_host: str
    """The host of the console."""
    platform: Platform
    region_domains: tuple[str, ...]
    """The domains of the apps of all regions."""
    socket: Path
    """The Unix socket for Envoy."""
    grace: float
    """Seconds that requests have to end when the process is told to stop."""


async def run_web(config: WebConfig) -> None:
    """Answer browsers until SIGTERM or SIGINT; raises `WebListenError`."""
    with stop_signals() as stopped, listening(config.socket) as listener:
        async with _channel(config) as channel:
            server = _Server(
                uvicorn.Config(
                    _app(config, channel),
                    access_log=False,
                    h11_max_incomplete_event_size=64 * 1024,
                    http="h11",
                    lifespan="off",
                    limit_concurrency=_MOST_CONNECTIONS,
                    log_config=None,
                    proxy_headers=False,
                    server_header=False,
                    timeout_graceful_shutdown=max(1, int(config.grace)),
                    ws="none",
                )
            )
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            _log.info("Listening on %s", config.socket)
            stopping = asyncio.create_task(stopped.wait())
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            server.should_exit = True
            await serving


def _app(config: WebConfig, channel: grpc.aio.Channel) -> ByHost:
    logins, pages = ApiLogins(channel), Pages()
    # One for both: who tries tokens here has tried them there.
    attempts = Attempts(logins=logins, throttle=Throttle(clock=boottime))
    login_pages = LoginPages(
        hosts=AppHosts(config.region_domains), attempts=attempts, logins=logins, pages=pages
    )
    return ByHost(
        console_host=config.console_host,
        console=make_console(
            host=config.console_host,
            platform=config.platform,
            channel=channel,
            attempts=attempts,
            logins=logins,
        ),
        others=make_app(login_pages, pages, ready=lambda: _serves(channel)),
    )


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `stop_signals`: after its own handling uvicorn would die of them."""
        yield


def _channel(config: WebConfig) -> grpc.aio.Channel:
    options = (
        # A proxy from the environment would read the tokens.
        ("grpc.enable_http_proxy", 0),
        # Find an api that was started again within a moment: gRPC's own patience grows to two minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
    )
    if config.api_root_certificates is None:
        return grpc.aio.insecure_channel(config.api_target, options=options)
    credentials = grpc.ssl_channel_credentials(config.api_root_certificates)
    return grpc.aio.secure_channel(config.api_target, credentials, options=options)


async def _serves(channel: grpc.aio.Channel) -> bool:
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    try:
        answer = await check(health_pb2.HealthCheckRequest(), timeout=_HEALTH_SECONDS)
    except grpc.aio.AioRpcError:
        return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
