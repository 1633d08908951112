"""The benchmark's own load generator works; how fast anything is, no test says."""

import contextlib
import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.connection import Connection
from benchmarks.load import at_rate, percentile, saturating
from doorward_server.check.transports.contract import CHECK_METHOD
from tests.integration.check.conftest import Serve
from tests.integration.check.transport_peer import SECONDS


@pytest.fixture
def connection(serve: Serve, socket_path: Path) -> Iterator[Connection]:
    """A connection of the load generator to a server that answers all but ``broken``."""

    def handler(payload: bytes) -> bytes:
        if payload == b"broken":
            raise ValueError
        return payload

    serve(handler)
    with contextlib.closing(Connection(socket_path, CHECK_METHOD, timeout=SECONDS)) as opened:
        yield opened


def test_a_call_brings_back_the_answer(connection: Connection) -> None:
    """The load generator's small HTTP/2 client speaks to both transports, call after call."""
    for payload in (b"one", b"x" * 5000, b"three"):
        connection.call(payload, due=0)
        connection.flush()
        while not (ended := connection.receive()):
            pass
        assert [call.body for call in ended] == [payload]


def test_load_at_a_rate_counts_answers_and_failures(connection: Connection) -> None:
    """Every call ends up as a latency or as a failure, and none is lost."""
    outcome = at_rate([connection], itertools.cycle([b"fine", b"broken"]), rate=500, seconds=0.2, seed=1)
    assert outcome.latencies
    assert 0 <= len(outcome.latencies) - outcome.failures <= 1
    assert min(outcome.latencies) > 0
    assert connection.in_flight == 0


def test_saturating_load_leaves_nothing_behind(connection: Connection) -> None:
    """Many more bytes than a window go through, and the next run starts with no call in flight."""
    outcome = saturating([connection], itertools.repeat(b"x" * 4000), in_flight=32, seconds=0.3)
    assert len(outcome.latencies) * 4000 > 65_535
    assert outcome.failures == 0
    assert outcome.seconds >= 0.3
    assert connection.in_flight == 0


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1), (1, 1), (50, 50), (99, 99), (99.5, 100), (100, 100)]
)
def test_a_percentile_is_a_measured_value(percent: float, expected: float) -> None:
    """The nearest rank: the least value that so many percent of all values do not exceed."""
    assert percentile(range(100, 0, -1), percent) == expected


def test_no_values_have_no_percentile() -> None:
    """A server that answered nothing shows as nan, not as fast."""
    assert math.isnan(percentile([], 99))
