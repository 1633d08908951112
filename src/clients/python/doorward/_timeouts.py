"""How long a call may take."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from doorward._conversions import seconds

Timeout: TypeAlias = float | timedelta | None
"""Seconds, or a `timedelta`, or None for the client's own."""


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
