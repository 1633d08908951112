"""The wall clock, handed to whoever needs it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Answers the present time in UTC."""


def utc_now() -> datetime:
    """The present time."""
    return datetime.now(UTC)
