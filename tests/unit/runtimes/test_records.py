"""How the lines of a log are stored."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.runtimes.logs.lines import Piece
from doorward_server.runtimes.logs.records import decode, encode
from doorward_server.services.runtime import LogLine, LogStream

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(LogStream),
    st.text().filter(lambda text: "\n" not in text),
    st.booleans(),
)
def test_round_trip(time: datetime, stream: LogStream, text: str, ends: bool) -> None:
    """Whatever an app prints is read back as it was, with its time and stream."""
    record = encode(time, stream, [Piece(text.encode(), ends)])
    assert record.endswith(b"\n")
    assert decode(record[:-1]) == LogLine(time, stream, text)


def test_format() -> None:
    """Records are those of the Kubernetes CRI: RFC 3339 time, stream, F or P, text."""
    pieces = [Piece(b"part", ends_line=False), Piece(b"end")]
    assert encode(NOW, LogStream.STDERR, pieces) == (
        b"2026-01-02T03:04:05.678901+00:00 stderr P part\n2026-01-02T03:04:05.678901+00:00 stderr F end\n"
    )


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"text",
        b"2026-01-01T00:00:00+00:00 stdout F",
        b"2026-01-01T00:00:00+00:00 stdin F text",
        b"2026-01-01T00:00:00+00:00 stdout X text",
        b"yesterday stdout F text",
        b"\xff stdout F text",
        b"2026-01-01T00:00:00+00:00 \xff F text",
    ],
)
def test_no_record(record: bytes) -> None:
    """What is no record is none, and no error: a file may have been cut short."""
    assert decode(record) is None
