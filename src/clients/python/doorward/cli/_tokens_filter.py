"""Which tokens a command is about, when it is not told their ids."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

import doorward
from doorward._conversions import role as role_value
from doorward.cli._ids import region_option
from doorward.cli._params import POSITIVE_DURATION, ROLE

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFilter:
    """What a token must be; nothing given is everything."""

    name: str | None
    role: str | None
    region: str
    expired: bool
    unused_for: timedelta | None

    def __bool__(self) -> bool:
        return any((self.name is not None, self.role, self.region, self.expired, self.unused_for))

    def of(self, client: doorward.Client, *, page_size: int = 1000) -> Iterator[doorward.Token]:
        """Yield the tokens that are all of it, newest first."""
        now = datetime.now(UTC)
        return (token for token in client.tokens.list(page_size=page_size) if self._matches(token, now))

    def _matches(self, token: doorward.Token, now: datetime) -> bool:
        return (
            (self.name is None or token.display_name == self.name)
            and (self.role is None or token.role == role_value(self.role))
            and (not self.region or token.region == self.region)
            and (
                not self.expired
                or (token.HasField("expire_time") and token.expire_time.ToDatetime(UTC) <= now)
            )
            and (self.unused_for is None or _last_sign(token) <= now - self.unused_for)
        )


def token_filters(command: F) -> F:
    """Add the options of a `TokenFilter`."""
    for option in reversed(
        (
            click.option("--name", help="Those with exactly this name."),
            click.option("--role", type=ROLE, help="Those with this role."),
            region_option("Those for this region."),
            click.option("--expired", is_flag=True, help="Those that have expired."),
            click.option(
                "--unused-for",
                type=POSITIVE_DURATION,
                help="Those that have not been used for this long, such as 90d, and are at least as old.",
            ),
        )
    ):
        command = option(command)
    return command


def _last_sign(token: doorward.Token) -> datetime:
    """When a token was last used; one that never was counts from when it was made or got its secret."""
    times = (token.last_used_time, token.create_time, token.update_time)
    return max(time.ToDatetime(UTC) for time in times)
