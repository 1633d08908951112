"""Points and spans of time on the wire."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.domain.errors import InvalidValueError
from doorward_server.rpc.conversion.times import (
    optional_timestamp,
    parse_duration,
    parse_timestamp,
    timestamp,
)

INT64 = st.integers(-(2**63), 2**63 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_comes_back_as_it_went(time: datetime) -> None:
    """To the microsecond, before 1970 as well."""
    assert parse_timestamp(timestamp(time)) == time
    assert timestamp(time).ToDatetime(UTC) == time


def test_no_time_is_no_message() -> None:
    """A field of it stays unset."""
    assert optional_timestamp(None) is None


@given(seconds=INT64, nanos=INT32)
def test_a_timestamp_is_a_time_or_is_refused(seconds: int, nanos: int) -> None:
    """As google/protobuf/timestamp.proto has it; nothing else is ever raised."""
    valid = -62_135_596_800 <= seconds <= 253_402_300_799 and 0 <= nanos < 10**9
    try:
        parsed = parse_timestamp(Timestamp(seconds=seconds, nanos=nanos))
    except InvalidValueError:
        assert not valid
    else:
        assert valid
        assert parsed.microsecond == nanos // 1000


@given(seconds=INT64 | st.integers(-10, 10), nanos=INT32 | st.integers(-(10**9), 10**9))
def test_a_duration_is_a_span_or_is_refused(seconds: int, nanos: int) -> None:
    """As google/protobuf/duration.proto has it; nothing else is ever raised."""
    valid = (
        abs(seconds) <= 315_576_000_000
        and abs(nanos) < 10**9
        and not (seconds < 0 < nanos)
        and not (nanos < 0 < seconds)
    )
    try:
        parsed = parse_duration(Duration(seconds=seconds, nanos=nanos))
    except InvalidValueError:
        assert not valid
    else:
        assert valid
        off = parsed - timedelta(seconds=seconds)
        assert abs(off) == timedelta(microseconds=abs(nanos) // 1000)


@pytest.mark.parametrize(("nanos", "microseconds"), [(1999, 1), (-1999, -1), (999, 0), (-999, 0)])
def test_less_than_a_microsecond_is_cut_off(nanos: int, microseconds: int) -> None:
    """Towards zero, on both sides of it."""
    assert parse_duration(Duration(nanos=nanos)) == timedelta(microseconds=microseconds)
