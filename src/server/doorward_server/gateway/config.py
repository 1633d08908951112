"""What differs from one Envoy to the next: the values for the placeholders in envoy/doorward.yaml."""

import ipaddress
import re
import ssl
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]")
_NAME = re.compile(r"(?![0-9.]+$)[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
# As browsers write it (RFC 6454 §6.2): in lower case, without the port that the scheme has anyway.
_ORIGIN = re.compile(
    r"(?:https(?!.*:443$)|http(?!.*:80$))://"
    r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[1-9][0-9]{0,4})?"
)
_MAX_PORT = 65535
_MAX_SOCKET_PATH = 107
"""Bytes of `sockaddr_un.sun_path` on Linux, without the zero at its end."""
_MAX_COUNT = 2**29
"""A bound that leaves Envoy's 32-bit fields room for sums."""


class GatewayError(Exception):
    """Envoy cannot be configured or started; the text says why and what to change."""


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host and a port. The host is a DNS name or an IP address, an IPv6 address without brackets."""

    host: str
    port: int

    def __post_init__(self) -> None:
        if not self.is_literal and not _NAME.fullmatch(self.host):
            raise GatewayError(f"host {self.host!r} is neither a DNS name nor an IP address")
        _check_port("port", self.port)

    @property
    def is_literal(self) -> bool:
        """Whether the host is an IP address, which needs no DNS."""
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return False
        # A zone, as in fe80::1%eth0, means something on one machine alone.
        return "%" not in str(address)


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """The path of a Unix socket: absolute, at most 107 bytes."""

    path: Path

    def __post_init__(self) -> None:
        if not self.path.is_absolute():
            raise GatewayError(f"socket path {str(self.path)!r} must be absolute")
        length = len(str(self.path).encode())
        if length > _MAX_SOCKET_PATH:
            raise GatewayError(
                f"socket path {str(self.path)!r} has {length} bytes, and a Unix socket allows "
                f"{_MAX_SOCKET_PATH}: choose a shorter folder"
            )


@dataclass(frozen=True, slots=True)
class PinnedCertificate:
    """TLS to an api that must present exactly one certificate, whoever issued it."""

    fingerprint: str
    """SHA-256 of the certificate in DER, 64 hexadecimal digits."""

    @classmethod
    def from_file(cls, path: Path) -> "PinnedCertificate":
        """Pin the first certificate of a PEM file: the server's own, ahead of its chain."""
        try:
            text = path.read_text("ascii")
            first, end, _ = text[text.index("-----BEGIN CERTIFICATE-----") :].partition(
                "-----END CERTIFICATE-----"
            )
            der = ssl.PEM_cert_to_DER_cert(first + end)
        except OSError as error:
            raise GatewayError(f"cannot read the api's certificate {path}: {error.strerror}") from error
        except ValueError as error:
            raise GatewayError(f"{path} holds no certificate in PEM form") from error
        return cls(sha256(der).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """Everything that envoy/doorward.yaml leaves open. Raises `GatewayError` for what Envoy could misread."""

    listen_address: str = "127.0.0.1"
    """The address to listen on, an IP address."""
    listen_port: int = 8080
    """The port to listen on; 0 takes a free one, which `await_ready` tells."""
    api_hosts: tuple[str, ...] = ("api.localhost", "localhost", "127.0.0.1")
    """The hosts of the API, exactly, without a port. Every other host is an app's: check decides."""
    console_host: str = "console.localhost"
    """The host of the console, which is served where the login pages are."""
    api_cors_origins: tuple[str, ...] = ()
    """The origins whose pages may call the API from a browser, such as `https://app.example.com`."""
    api_address: TcpAddress | UnixAddress
    """Where the api serves gRPC."""
    api_certificate: PinnedCertificate | None = None
    """The certificate of the api; None when it serves without TLS."""
    check_sockets: tuple[UnixAddress, ...]
    """One socket for each check process."""
    web_socket: UnixAddress | None = None
    """Where the login pages are served. None: there are none."""
    admin_socket: UnixAddress | None = None
    """Envoy's admin interface, for its owner alone. None: there is none."""
    stream_idle_timeout: float = 3600.0
    """Seconds without a byte in either direction after which a request is ended; 0 is never."""
    websocket_max_duration: float = 1200.0
    """Seconds after which a WebSocket is ended: the longest that one outlives its token. 0 is never."""
    max_message_bytes: int = 1024 * 1024
    """The largest body of a REST request, in bytes."""
    max_connections: int = 10_000
    """How many clients may be connected at once."""
    edge_cache: bool = False
    """Whether Envoy repeats an allow for as long as check said that it may, without asking again."""

    def __post_init__(self) -> None:
        _check_port("listen_port", self.listen_port)
        if not TcpAddress(self.listen_address, self.listen_port).is_literal:
            raise GatewayError(f"listen_address {self.listen_address!r} must be an IP address, not a name")
        self._check_hosts()
        _check_origins(self.api_cors_origins)
        if not self.check_sockets:
            raise GatewayError("check_sockets must name at least one socket")
        for field in ("stream_idle_timeout", "websocket_max_duration"):
            if not 0 <= getattr(self, field) <= 10 * 365 * 86400:
                raise GatewayError(f"{field} must be 0 to ten years, in seconds")
        for field in ("max_message_bytes", "max_connections"):
            if not 1 <= getattr(self, field) <= _MAX_COUNT:
                raise GatewayError(f"{field} must be 1 to {_MAX_COUNT}")

    def _check_hosts(self) -> None:
        for host in self.api_hosts:
            if not _HOST.fullmatch(host):
                raise GatewayError(f"api_hosts: {host!r} is not a host name: no port, no path, no wildcard")
        names = [host.lower() for host in self.api_hosts]
        if not names or len(set(names)) != len(names):
            raise GatewayError("api_hosts must name at least one host, and each once")
        if not _NAME.fullmatch(self.console_host) or self.console_host.lower() in names:
            raise GatewayError("console_host must be a host name, and none of api_hosts")


def _check_port(name: str, port: int) -> None:
    if not 0 <= port <= _MAX_PORT:
        raise GatewayError(f"{name} must be 0 to {_MAX_PORT}, is {port}")


def _check_hosts(hosts: tuple[str, ...]) -> None:
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise GatewayError(f"api_hosts: {host!r} is not a host name: no port, no path, no wildcard")
    names = [host.lower() for host in hosts]
    if not names or len(set(names)) != len(names):
        raise GatewayError("api_hosts must name at least one host, and each once")


def _check_origins(origins: tuple[str, ...]) -> None:
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise GatewayError(
                f"api_cors_origins: {origin!r} is not an origin as browsers send it: a scheme, a host in"
                " lower case, a port unless it is the scheme's own; no path, no wildcard"
            )
