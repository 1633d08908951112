"""How long a call may take."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from doorward._conversions import seconds

Timeout: TypeAlias = float | timedelta | None
"""Seconds, or a `timedelta`, or None for the client's own."""

CALL_SECONDS = 30.0
"""How long a call may take by default."""

ENFORCEMENT_SECONDS = 60.0
"""How long a call that narrows access may take by default: the server's default lease, and as long again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """The time limits of a client, in seconds."""

    call: float
    """For every call but those below."""
    enforcement: float
    """For calls that narrow access. They answer when no replica allows any more what they took away, which
    takes up to the server's policy lease (30 s by default) when a replica is out of reach."""


def timeouts(call: float | timedelta, enforcement: float | timedelta) -> Timeouts:
    """Return time limits, of seconds or `timedelta`. Raises `ValueError` for one that is not positive."""
    return Timeouts(call=seconds(call), enforcement=seconds(enforcement))


def call_limit(timeout: Timeout) -> Callable[[Timeouts], float]:
    """Return how to find the limit of a call: *timeout*, or the client's own."""
    return _given(timeout) or (lambda limits: limits.call)


def enforcement_limit(timeout: Timeout) -> Callable[[Timeouts], float]:
    """Return how to find the limit of a call that narrows access."""
    return _given(timeout) or (lambda limits: limits.enforcement)


def stream_limit(timeout: Timeout) -> Callable[[Timeouts], float | None]:
    """Return how to find the limit of a call that goes on: *timeout*, or none at all."""
    return _given(timeout) or (lambda _: None)


def _given(timeout: Timeout) -> Callable[[Timeouts], float] | None:
    if timeout is None:
        return None
    limit = seconds(timeout)
    return lambda _: limit
