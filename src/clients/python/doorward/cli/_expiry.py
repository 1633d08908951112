"""`--expires-in` and `--expires-at`: two ways to say when a token stops to work."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click

from doorward.cli._params import POSITIVE_DURATION, TIME

F = TypeVar("F", bound=Callable[..., Any])


def expiry_options(command: F) -> F:
    """Add both."""
    for option in reversed(
        (
            click.option(
                "--expires-in", type=POSITIVE_DURATION, help="It stops to work after this long, from now."
            ),
            click.option("--expires-at", type=TIME, help="It stops to work at this time."),
        )
    ):
        command = option(command)
    return command


def one_expiry(expires_in: timedelta | None, expires_at: datetime | None) -> datetime | timedelta | None:
    """Return the one that was given, or None; both together are a mistake."""
    refuse_both(("--expires-in", expires_in), ("--expires-at", expires_at))
    return expires_in or expires_at


def refuse_both(one: tuple[str, object], other: tuple[str, object]) -> None:
    """Raise `click.UsageError` when two options are given that contradict each other."""
    if one[1] not in (None, False) and other[1] not in (None, False):
        raise click.UsageError(f"{one[0]} and {other[0]} contradict each other: give one of them")
