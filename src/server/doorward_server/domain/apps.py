"""Apps: HTTP services with labels, an access mode and a lifecycle."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.ids import AppId, RegionName
from doorward_server.domain.labels import Labels
from doorward_server.domain.policy import Address, PolicyApp
from doorward_server.domain.quoting import quoted

HISTORY_LENGTH: Final = 32
"""How many states of its past an app remembers."""


MAX_PORT: Final = 65535
"""The highest TCP port."""


class AppState(Enum):
    """A step in an app's life. The value is what is stored."""

    QUEUED = "QUEUED"
    """Accepted; nothing has been started yet."""
    INITIALIZING = "INITIALIZING"
    """Started; not ready yet."""
    SCALING = "SCALING"
    """Serving, while its capacity changes."""
    RUNNING = "RUNNING"
    """Serving."""
    STOPPING = "STOPPING"
    """Told to stop; no request reaches it any more."""
    STOPPED = "STOPPED"
    FAILED = "FAILED"
    """Given up, and the app is at fault."""
    ERROR = "ERROR"
    """Given up, and the platform is at fault."""
    DELETING = "DELETING"
    """Told to go; removed as soon as it has stopped."""

    @property
    def serves(self) -> bool:
        """Whether requests may reach the app."""
        return self in (AppState.RUNNING, AppState.SCALING)

    @property
    def wanted(self) -> bool:
        """Whether a runtime should keep the app going, also after a restart of the server."""
        return self in (AppState.QUEUED, AppState.INITIALIZING, AppState.SCALING, AppState.RUNNING)


class Access(Enum):
    """Who may use an app."""

    TOKEN_REQUIRED = "TOKEN_REQUIRED"  # noqa: S105 - a mode's name
    PUBLIC = "PUBLIC"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalSource:
    """A service that runs already."""

    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSource:
    """A local process that the server starts, watches and restarts."""

    command: tuple[str, ...]
    """The program and its arguments; `{port}` becomes the port to listen on."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Environment variables. Values may be secrets: they are shown to nobody."""
    working_dir: str | None = None
    """An absolute path; None: a folder of the app's own."""


Source = ExternalSource | ProcessSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """How the server finds out that an app is ready."""

    path: str | None = None
    """Answers 2xx or 3xx to GET when the app is ready; None: a TCP connection is enough."""
    period: timedelta = timedelta(seconds=1)
    failure_threshold: int = 3
    """How many probes in a row must fail before a running app counts as not ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSpec:
    """What is run and how it may be used."""

    source: Source
    access: Access = Access.TOKEN_REQUIRED
    operator_paths: tuple[str, ...] = ()
    readiness: Readiness = Readiness()
    cors_preflight: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """One entry of an app's history."""

    state: AppState
    time: datetime
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppStatus:
    """What an app is doing now."""

    state: AppState
    message: str = ""
    """Why, for people. Never holds a secret."""
    address: Address | None = None
    """Where the app listens, while it serves."""
    history: tuple[StateChange, ...] = ()
    """Oldest first, the present state included."""

    def entered(
        self, state: AppState, *, at: datetime, message: str = "", address: Address | None = None
    ) -> "AppStatus":
        """The status after a step to *state*."""
        change = StateChange(state=state, time=at, message=message)
        return AppStatus(
            state=state,
            message=message,
            address=address,
            history=(*self.history, change)[-HISTORY_LENGTH:],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """An HTTP service in one region. Times are in UTC."""

    app_id: AppId
    display_name: str
    region: RegionName
    labels: Labels
    """The platform's own labels included."""
    spec: AppSpec
    status: AppStatus
    create_time: datetime
    update_time: datetime
    version: int = 1
    """Grows with each change of name, labels or spec, not of the state."""

    def in_state(
        self, state: AppState, *, at: datetime, message: str = "", address: Address | None = None
    ) -> "App":
        """The app after a step to *state*."""
        status = self.status.entered(state, at=at, message=message, address=address)
        return replace(self, status=status, update_time=at)

    def policy_entry(self) -> PolicyApp | None:
        """What replicas need to know of the app; None when there is nothing to know: it is on its way out."""
        if self.status.state is AppState.DELETING:
            return None
        return PolicyApp(
            app_id=self.app_id,
            region=self.region,
            labels=self.labels,
            public=self.spec.access is Access.PUBLIC,
            operator_paths=self.spec.operator_paths,
            cors_preflight=self.spec.cors_preflight,
            upstream=self.status.address if self.status.state.serves else None,
        )


_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[-A-Za-z0-9_]{0,61}[A-Za-z0-9_])?"
    r"(?:\.[A-Za-z0-9_](?:[-A-Za-z0-9_]{0,61}[A-Za-z0-9_])?)*"
)
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")
_METADATA_SERVICES: Final = frozenset(
    ipaddress.ip_address(text)
    for text in (
        # Those that are not link-local, as 169.254.169.254 is.
        "fd00:ec2::254",  # Amazon EC2
        "fd20:ce::254",  # Google Compute Engine
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure
    )
)
_IPV4_IN_LAST_BITS: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "::/96",  # IPv4-compatible, RFC 4291 §2.5.5.1
        "::ffff:0:0/96",  # IPv4-mapped, RFC 4291 §2.5.5.2
        "::ffff:0:0:0/96",  # IPv4-translated, RFC 2765 §2.1
        "64:ff9b::/96",  # NAT64, RFC 6052 §2.1
        "64:ff9b:1::/48",  # NAT64 of a local network, RFC 8215
    )
)
_ADDRESS = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:@/?#\s]+)):(?P<port>[0-9]{1,5})")


def parse_address(text: str) -> Address:
    """Parse `host:port` of an external app; raises `InvalidValueError`.

    Link-local, unspecified, multicast and broadcast addresses and those of clouds' metadata services are
    refused, in all their spellings: Envoy would reach them for anybody. A host name is not resolved here:
    whoever does passes what comes out to `check_reachable`.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise InvalidValueError("must be host:port or [IPv6]:port, without a scheme or path")
    port = int(match["port"])
    if not 1 <= port <= MAX_PORT:
        raise InvalidValueError(f"port {port} is not between 1 and {MAX_PORT}")
    host = match["v6"] or match["name"]
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    try:
        address = (ipaddress.IPv4Address if match["v6"] is None else ipaddress.IPv6Address)(host)
    except ValueError:
        if match["v6"] is not None:
            raise InvalidValueError(f"{quoted(host)} is not an IPv6 address") from None
        return Address(host=_host_name(host), port=port)
    check_reachable(address)
    return Address(host=str(address), port=port)


def check_reachable(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """Raise `InvalidValueError` for an address that no app may have."""
    seen = _destination(address) if isinstance(address, ipaddress.IPv6Address) else address
    if seen.is_link_local or seen.is_unspecified or seen.is_multicast or seen == _BROADCAST:
        raise InvalidValueError(f"{address} is link-local, unspecified, multicast or broadcast")
    if seen in _METADATA_SERVICES:
        raise InvalidValueError(f"{address} is a cloud's metadata service")


def _destination(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Where packets to *address* end up: at the IPv4 address inside it, where there is one."""
    plain = ipaddress.IPv6Address(int(address))  # without a zone id, with which it equals no other
    if plain.is_loopback or plain.is_unspecified:
        return plain
    if any(plain in network for network in _IPV4_IN_LAST_BITS):
        return ipaddress.IPv4Address(int(plain) & 0xFFFF_FFFF)
    return plain.sixtofour or plain


def _host_name(host: str) -> str:
    # Resolvers read `2852039166`, `0xa9fea9fe` and `169.254.43518` as IPv4 addresses (inet_aton); a last
    # label that begins with a digit is no host name (RFC 1123 §2.1, RFC 3696 §2).
    last = host.rpartition(".")[2]
    if not _HOST_NAME.fullmatch(host) or last[:1].isdigit():
        raise InvalidValueError(f"{quoted(host)} is neither a host name nor an IP address")
    return host.lower()
