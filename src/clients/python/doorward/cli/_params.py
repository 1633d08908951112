"""What options take: each parsed once, with an error that names the rule."""

import re
from datetime import datetime, timedelta
from typing import Any, TypeAlias, TypeVar

import click

from doorward._conversions import short_names
from doorward.v1.app_pb2 import Access, AppState
from doorward.v1.role_pb2 import Role

V = TypeVar("V")
Context: TypeAlias = click.Context | None
Parameter: TypeAlias = click.Parameter | None

LONGEST = timedelta(days=36_500)
"""The longest duration: what is added to the present stays a date."""

_DURATION = re.compile(
    r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9}(?:\.\d{1,6})?)s)?", re.ASCII
)
_SECRET = re.compile(r"dw_[0-9A-Za-z]{12}_[0-9A-Za-z]+")


class Duration(click.ParamType[timedelta]):
    """A length of time: `90d`, `12h`, `30m`, `45s`, or several of them in this order, such as `1d12h`."""

    name = "duration"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> timedelta:
        if isinstance(value, timedelta):
            return value
        form = _DURATION.fullmatch(value)
        if not value or form is None:
            self.fail(f"{value!r} is not a duration such as 90d, 12h, 30m, 45s or 1d12h", param, ctx)
        days, hours, minutes, seconds = (float(part or 0) for part in form.groups())
        if days * 86_400 + hours * 3600 + minutes * 60 + seconds > LONGEST.total_seconds():
            self.fail(f"{value!r} is longer than {LONGEST.days}d", param, ctx)
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


class PositiveDuration(Duration):
    """A length of time that is not zero."""

    def convert(self, value: Any, param: Parameter, ctx: Context) -> timedelta:
        length = super().convert(value, param, ctx)
        if not length:
            self.fail(f"{value!r} must be longer than zero", param, ctx)
        return length


class Time(click.ParamType[datetime]):
    """A point in time with its zone, in ISO 8601: `2026-01-31T12:00:00Z`."""

    name = "time"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            when = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-01-31T12:00:00Z", param, ctx)
        if when.utcoffset() is None:
            self.fail(f"{value!r} has no time zone: add one, such as Z", param, ctx)
        return when


class Pair(click.ParamType[tuple[str, str]]):
    """A name and a value with `=` between them."""

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(self, value: Any, param: Parameter, ctx: Context) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        key, equals, text = value.partition("=")
        if not equals or not key:
            # The value may be a password that lost its name.
            self.fail(f"expected {self.name}, with a key before the first =", param, ctx)
        return key, text


class Id(click.ParamType[str]):
    """An id, alone or as `-o name` prints it: `apps/ID`, `tokens/ID`.

    Refuses what is the name of another kind of thing, and a whole secret, without showing it or sending it
    anywhere.
    """

    name = "id"

    def __init__(self, *kinds: str) -> None:
        self._kinds = kinds

    def convert(self, value: Any, param: Parameter, ctx: Context) -> str:
        if _SECRET.search(str(value)):
            self.fail("that is a secret; a token's id is the 12 characters after dw_", param, ctx)
        kind, slash, rest = str(value).rpartition("/")
        if slash and kind not in self._kinds:
            expected = " or ".join(f"{kind}/ID" for kind in self._kinds)
            self.fail(f"{value!r} is neither an id nor {expected}", param, ctx)
        return rest


class Name(click.Choice[str]):
    """One of the names of an enum, in any case, with - or _."""

    def __init__(self, names: list[str]) -> None:
        super().__init__([name.lower().replace("_", "-") for name in names], case_sensitive=False)

    def convert(self, value: Any, param: Parameter, ctx: Context) -> str:
        return super().convert(str(value).replace("_", "-"), param, ctx)


DURATION = Duration()
POSITIVE_DURATION = PositiveDuration()
TIME = Time()
LABEL = Pair("KEY=VALUE")
ENV = Pair("NAME=VALUE")
APP_ID = Id("apps")
TOKEN_ID = Id("tokens")
RESOURCE_ID = Id("apps", "tokens")
ROLE = Name(short_names(Role, "ROLE_"))
ACCESS = Name(short_names(Access, "ACCESS_"))
APP_STATE = Name(short_names(AppState, "APP_STATE_"))


def unique(pairs: tuple[tuple[str, str], ...], option: str) -> dict[str, str]:
    """Return pairs as a mapping; a key that is given twice is a mistake, not a choice."""
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise click.UsageError(f"{option} gives a key more than once")
    return mapping
