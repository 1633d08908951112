"""Envoy."""

from pathlib import Path

from doorward_server.bootstrap.sockets import check_sockets, envoy_admin_socket, web_socket
from doorward_server.gateway.config import GatewayConfig, PinnedCertificate, TcpAddress, UnixAddress
from doorward_server.settings import Settings


def gateway_config(settings: Settings) -> GatewayConfig:
    """What Envoy is configured with; raises `GatewayError`."""
    certificate = settings.envoy_api_certificate_file
    return GatewayConfig(
        listen_address=settings.listen_address,
        listen_port=settings.envoy_port,
        api_hosts=settings.api_hosts,
        console_host=settings.console_host,
        api_cors_origins=settings.api_cors_origins,
        api_address=_api_address(settings),
        api_certificate=None if certificate is None else PinnedCertificate.from_file(certificate),
        check_sockets=tuple(UnixAddress(path) for path in check_sockets(settings)),
        web_socket=UnixAddress(web_socket(settings)) if settings.login_enabled else None,
        admin_socket=UnixAddress(envoy_admin_socket(settings)),
        stream_idle_timeout=settings.stream_idle_timeout,
        websocket_max_duration=settings.websocket_max_duration,
        max_message_bytes=settings.max_message_bytes,
        edge_cache=settings.edge_cache_lifetime > 0,
        max_connections=settings.envoy_max_connections,
    )


def _api_address(settings: Settings) -> TcpAddress | UnixAddress:
    target = settings.envoy_api_target
    if target is None:
        return UnixAddress(settings.api_socket.absolute())
    if target.startswith("unix:"):
        return UnixAddress(Path(target.removeprefix("unix:").removeprefix("//")))
    host, _, port = target.rpartition(":")
    return TcpAddress(host.strip("[]"), int(port))
