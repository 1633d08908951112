"""How values of the API read on a page: the filters of the templates."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from doorward.v1.app_pb2 import Access, AppState
from doorward.v1.role_pb2 import Role


def state(value: AppState.ValueType) -> str:
    """Such as `RUNNING`; `UNKNOWN` for one of a newer api."""
    return _name(AppState, value, "APP_STATE_")


def role(value: Role.ValueType) -> str:
    """Such as `READ_ONLY`."""
    return _name(Role, value, "ROLE_")


def access(value: Access.ValueType) -> str:
    """Such as `TOKEN_REQUIRED`."""
    return _name(Access, value, "ACCESS_")


def iso(time: Timestamp) -> str:
    """RFC 3339, to the second, in UTC."""
    return _datetime(time).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc(time: Timestamp) -> str:
    """For people, in UTC."""
    return _datetime(time).strftime("%Y-%m-%d %H:%M:%S UTC")


def age(time: Timestamp) -> str:
    """How long ago it was, in its largest unit."""
    return span(datetime.now(UTC) - _datetime(time))


def span(length: timedelta) -> str:
    """A length of time in its largest unit, such as `3 h`."""
    seconds = max(0, int(length.total_seconds()))
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def past(time: Timestamp) -> bool:
    """Whether it has come."""
    return _datetime(time) <= datetime.now(UTC)


def filters(*, reserved_prefix: str) -> dict[str, Callable[[Any], Any]]:
    """The filters by name; *reserved_prefix* is what label keys of the platform begin with."""

    def reserved(key: str) -> bool:
        return key.startswith(reserved_prefix)

    return {
        "access": access,
        "age": age,
        "iso": iso,
        "past": past,
        "reserved": reserved,
        "role": role,
        "state": state,
        "utc": utc,
    }


def _name(enum: Any, value: int, prefix: str) -> str:
    try:
        return str(enum.Name(value)).removeprefix(prefix)
    except ValueError:
        return "UNKNOWN"


def _datetime(time: Timestamp) -> datetime:
    return time.ToDatetime(UTC)
