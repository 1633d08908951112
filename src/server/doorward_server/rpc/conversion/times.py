"""Points and spans of time. Everything here is in UTC and to the microsecond."""

from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from doorward_server.domain.errors import InvalidValueError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# google/protobuf/timestamp.proto: years 1 to 9999.
_MIN_SECONDS: Final = -62_135_596_800
_MAX_SECONDS: Final = 253_402_300_799
# google/protobuf/duration.proto: 10,000 years to both sides.
_MAX_DURATION_SECONDS: Final = 315_576_000_000
_NANOS: Final = 1_000_000_000


def parse_timestamp(value: Timestamp) -> datetime:
    """Parse a point in time; what is less than a microsecond is cut off. Raises `InvalidValueError`."""
    if not _MIN_SECONDS <= value.seconds <= _MAX_SECONDS:
        raise InvalidValueError("must lie in the years 1 to 9999")
    if not 0 <= value.nanos < _NANOS:
        raise InvalidValueError("must have nanos between 0 and 999,999,999")
    return _EPOCH + timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)


def parse_duration(value: Duration) -> timedelta:
    """Parse a span of time; what is less than a microsecond is cut off. Raises `InvalidValueError`."""
    if abs(value.seconds) > _MAX_DURATION_SECONDS:
        raise InvalidValueError("must be at most 10,000 years")
    if abs(value.nanos) >= _NANOS:
        raise InvalidValueError("must have nanos between -999,999,999 and 999,999,999")
    if value.seconds * value.nanos < 0:
        raise InvalidValueError("must have seconds and nanos of the same sign")
    microseconds = abs(value.nanos) // 1000
    return timedelta(seconds=value.seconds, microseconds=microseconds if value.nanos > 0 else -microseconds)


def timestamp(time: datetime) -> Timestamp:
    """A point in time as a message."""
    seconds, rest = divmod(time - _EPOCH, timedelta(seconds=1))
    return Timestamp(seconds=seconds, nanos=rest // timedelta(microseconds=1) * 1000)


def duration(length: timedelta) -> Duration:
    """A span of time as a message."""
    message = Duration()
    message.FromTimedelta(length)
    return message


def optional_timestamp(time: datetime | None) -> Timestamp | None:
    """A point in time as a message; none, which leaves a field unset, for None."""
    return None if time is None else timestamp(time)
