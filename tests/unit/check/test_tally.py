"""What the decisions of a check process come to."""

import pytest

from doorward_server.check.lease import Lease
from doorward_server.check.tally import CheckTally
from doorward_server.domain.decision import Reason


def test_every_reason_has_a_place_of_its_own() -> None:
    """The reasons' places are 0, 1, 2 …, one each."""
    assert [reason.index for reason in Reason] == list(range(len(Reason)))
    assert len(CheckTally().decided) == len(Reason)


def test_a_timed_handler_answers_as_ever() -> None:
    """Each answer comes from the handler, and each is counted once with its duration."""
    tally = CheckTally()
    answer = tally.timed(lambda payload: payload + b"!")
    assert [answer(b"a"), answer(b"b")] == [b"a!", b"b!"]
    assert tally.durations.count == 2
    assert tally.durations.total > 0
    assert tally.failed == 0


def test_a_handler_that_fails_is_counted_and_fails_all_the_same() -> None:
    """The transport, which answers for it, must learn of the failure."""

    def fail(_payload: bytes) -> bytes:
        raise SystemExit

    tally = CheckTally()
    with pytest.raises(SystemExit):
        tally.timed(fail)(b"")
    assert (tally.failed, tally.durations.count) == (1, 0)


def test_the_age_of_a_policy() -> None:
    """From the sending of the newest answered message; before there is one, from the start."""
    now = 1_000.0
    lease = Lease(lambda: now)
    now += 7
    assert (lease.age, lease.time_left, lease.fresh) == (7.0, 0.0, False)
    lease.renew(sent_at=1_005.0, duration=30.0)
    assert (lease.age, lease.time_left, lease.fresh) == (2.0, 28.0, True)
    now += 29
    assert (lease.age, lease.time_left, lease.fresh) == (31.0, 0.0, False)
