"""Envoy."""

from doorward_server.bootstrap.sockets import check_sockets, envoy_admin_socket
from doorward_server.gateway.config import GatewayConfig, UnixAddress
from doorward_server.settings import Settings


def gateway_config(settings: Settings) -> GatewayConfig:
    """What Envoy is configured with."""
    return GatewayConfig(
        listen_address=settings.listen_address,
        listen_port=settings.envoy_port,
        api_hosts=settings.api_hosts,
        api_address=UnixAddress(settings.api_socket.absolute()),
        check_sockets=tuple(UnixAddress(path) for path in check_sockets(settings)),
        admin_socket=UnixAddress(envoy_admin_socket(settings)),
        stream_idle_timeout=settings.stream_idle_timeout,
        websocket_max_duration=settings.websocket_max_duration,
        max_message_bytes=settings.max_message_bytes,
        edge_cache=settings.edge_cache_lifetime > 0,
    )
