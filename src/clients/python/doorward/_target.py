"""Where the api is, and whether the way there leaves this machine."""

import ipaddress
import re
from dataclasses import dataclass

from doorward._exceptions import ConfigurationError

_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})", re.ASCII)
_UNIX = re.compile(r"unix:(?://)?(?P<path>[^\x00-\x20\x7f]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The address of an api, as gRPC takes it."""

    uri: str
    """What gRPC dials, and what people read."""
    local: bool
    """Whether what is sent there stays on this machine: a loopback address or a Unix socket."""

    def __str__(self) -> str:
        return self.uri


def parse_target(address: str) -> Target:
    """Return the target that *address* names: `host:port`, `[IPv6]:port` or `unix:/path`.

    Only `localhost` and loopback addresses count as local. A name below `.localhost` does not: not every
    resolver keeps those on the machine (RFC 6761 §6.3 asks for it), and a token may ride on the answer.
    """
    if unix := _UNIX.fullmatch(address):
        return Target(uri=f"unix:{unix['path']}", local=True)
    form = _HOST_AND_PORT.fullmatch(address)
    if form is None or not 0 < int(form["port"]) < 65536:
        raise ConfigurationError(
            f"address {address!r}: expected host:port, [IPv6]:port or unix:/path, no scheme"
        )
    return Target(uri=address, local=_is_loopback(form["host"]))


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
