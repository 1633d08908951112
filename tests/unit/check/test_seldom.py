"""Lines of a log that come by the hundred."""

import logging
from collections.abc import Iterator

import pytest

from doorward_server.check.transports.seldom import Seldom


class Clock:
    """Seconds that a test lets pass."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of the log."""
    return Clock()


@pytest.fixture
def log(clock: Clock) -> Iterator[logging.Logger]:
    """A logger whose lines come through once a minute."""
    logger, seldom = logging.getLogger("doorward.test.seldom"), Seldom(seconds=60, clock=clock)
    logger.addFilter(seldom)
    yield logger
    logger.removeFilter(seldom)


def test_the_same_line_comes_once_in_a_while(
    log: logging.Logger, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The first is written at once, and the next after the while says how many were left out."""
    for _ in range(100):
        log.warning("accept failed: %s", "no descriptor")
        clock.now += 0.1
    assert caplog.messages == ["accept failed: no descriptor"]
    clock.now += 60
    log.warning("accept failed: %s", "no descriptor")
    assert caplog.messages[1:] == [
        "accept failed: no descriptor (and 99 times more since the last such line)"
    ]
    clock.now += 60
    log.warning("accept failed: %s", "no descriptor")
    assert caplog.messages[2:] == ["accept failed: no descriptor"]


def test_other_lines_come_through(log: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    """Each line counts for itself, however many there are."""
    for number in range(200):
        log.warning("line %d", number)
    assert len(caplog.messages) == 200
