"""From Python's own types to those of protobuf and back. Errors are `ValueError`, before anything is sent."""

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from doorward.v1.app_pb2 import Access, AppState
from doorward.v1.role_pb2 import Role

if TYPE_CHECKING:
    from google.protobuf.internal.enum_type_wrapper import _EnumTypeWrapper

V = TypeVar("V", bound=int)


def timestamp(when: datetime | timedelta) -> Timestamp:
    """Return a point in time: *when* itself, which needs a time zone, or that long from now."""
    if isinstance(when, timedelta):
        when = datetime.now(UTC) + when
    if when.utcoffset() is None:
        raise ValueError(f"the time {when.isoformat()} has no time zone: add one, such as datetime.UTC")
    answer = Timestamp()
    answer.FromDatetime(when)
    return answer


def duration(length: timedelta) -> Duration:
    """Return a length of time."""
    answer = Duration()
    answer.FromTimedelta(length)
    return answer


def seconds(length: float | timedelta) -> float:
    """Return a time limit in seconds, of a number of them or a `timedelta`."""
    value = length.total_seconds() if isinstance(length, timedelta) else float(length)
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"a time limit must be positive and finite, not {value} s")
    return value


def role(value: "Role.ValueType | str") -> "Role.ValueType":
    """Return a role, of its value or its name: `READ_ONLY` and `read-only` are both ROLE_READ_ONLY."""
    return _enum_value(Role, "ROLE_", value)


def access(value: "Access.ValueType | str") -> "Access.ValueType":
    """Return an access mode, of its value or its name, such as `public`."""
    return _enum_value(Access, "ACCESS_", value)


def app_state(value: "AppState.ValueType | str") -> "AppState.ValueType":
    """Return an app's state, of its value or its name, such as `running`."""
    return _enum_value(AppState, "APP_STATE_", value)


def short_names(enum: "_EnumTypeWrapper[V]", prefix: str) -> list[str]:
    """Return the names of an enum's values without their common prefix, UNSPECIFIED left out."""
    return [name.removeprefix(prefix) for name, value in enum.items() if value]


def short_name(enum: "_EnumTypeWrapper[V]", prefix: str, value: V) -> str:
    """Return the name of *value* without the common prefix; its number when it is newer than this client."""
    return enum.Name(value).removeprefix(prefix) if value in enum.values() else str(value)


def _enum_value(enum: "_EnumTypeWrapper[V]", prefix: str, value: V | str) -> V:
    if not isinstance(value, str):
        return value
    name = value.upper().replace("-", "_").removeprefix(prefix)
    names = short_names(enum, prefix)
    if name not in names:
        raise ValueError(f"{enum.DESCRIPTOR.name} {value!r}: expected one of {', '.join(names)}")
    return enum.Value(prefix + name)
