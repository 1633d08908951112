"""How many wrong tokens are looked at.

A token has 256 random bits, so nobody guesses one; this keeps those who try from wearing out api. Counted are
wrong tokens alone: who has a right one is never slowed down by the number of logins.
"""

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_KEPT: Final = 20_000
"""Addresses that are remembered, those of the newest failures."""


@dataclass(slots=True)
class _Bucket:
    """Failures that flow off at a steady rate."""

    level: float = 0.0
    time: float = -math.inf

    def settled(self, now: float, rate: float) -> float:
        """How full it is now."""
        return max(0.0, self.level - (now - self.time) * rate) if self.level else 0.0

    def add(self, now: float, rate: float) -> None:
        self.level, self.time = self.settled(now, rate) + 1, now


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many failures are looked at: so many at once, and then so many a second."""

    address_burst: int = 10
    address_rate: float = 1 / 6
    all_burst: int = 200
    all_rate: float = 10.0


class Throttle:
    """Counts failures by address, and all of them.

    When all together are too many, who has failed of late has to wait at once, and whoever has not is let
    through: a flood from many addresses locks out nobody else.
    """

    def __init__(self, *, clock: Callable[[], float], limits: Limits | None = None) -> None:
        """*clock* is in seconds, and never steps."""
        self._clock = clock
        self._limits = limits or Limits()
        self._all = _Bucket()
        self._addresses: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds that this address has to wait before it may try; 0: none."""
        now, limits = self._clock(), self._limits
        bucket = self._addresses.get(_network(address))
        level = 0.0 if bucket is None else bucket.settled(now, limits.address_rate)
        too_much = level - limits.address_burst + 1
        if too_much > 0:
            return too_much / limits.address_rate
        flood = self._all.settled(now, limits.all_rate) - limits.all_burst + 1
        if flood > 0 and level > 0:
            return max(flood / limits.all_rate, level / limits.address_rate)
        return 0.0

    def failed(self, address: str) -> None:
        """A token from this address was wrong."""
        now, network = self._clock(), _network(address)
        bucket = self._addresses.pop(network, None) or _Bucket()
        bucket.add(now, self._limits.address_rate)
        self._addresses[network] = bucket
        self._all.add(now, self._limits.all_rate)
        if len(self._addresses) > _KEPT:
            self._addresses.popitem(last=False)


def _network(address: str) -> str:
    """Whose address it is. With IPv6 one customer has at least a /64 of them."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
