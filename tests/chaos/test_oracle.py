"""The judge of the faults: it finds what is wrong, and nothing else."""

import pytest

from tests.chaos.oracle import Holds, Oracle, Right, Sent


def secret() -> Right:
    """Asked for at 10 and answered at 11; its end asked for at 20 and answered at 21."""
    right = Right("secret 1")
    right.becomes(Holds.MAYBE, at=10)
    right.becomes(Holds.YES, at=11)
    right.becomes(Holds.MAYBE, at=20)
    right.becomes(Holds.NO, at=21)
    return right


def request(at: float, right: Right | None) -> Sent:
    """A request sent at a moment."""
    return Sent(kind="a request", right=right, at=at)


@pytest.mark.parametrize(
    ("sent", "allowed", "wrong"),
    [
        (9, 9.5, True),  # nobody had asked for the right yet
        (9, 10.5, False),  # it was given while the request was under way
        (12, 13, False),
        (20.5, 20.6, False),  # the call that ends it had not returned
        (20.5, 25, False),  # it was sent before that call returned, however late it was answered
        (21, 21.1, True),  # sent when the call had returned
        (30, 31, True),
    ],
)
def test_allowed(sent: float, allowed: float, *, wrong: bool) -> None:
    """An allow is wrong when the right was over, or not begun, all the time from sending to answer."""
    oracle = Oracle()
    oracle.allowed(request(sent, secret()), at=allowed)
    assert bool(oracle.violations) is wrong


@pytest.mark.parametrize(
    ("sent", "refused", "wrong"),
    [(10.5, 12, False), (12, 13, True), (19, 20.5, False), (20.5, 22, False), (30, 31, False)],
)
def test_refused(sent: float, refused: float, *, wrong: bool) -> None:
    """A refusal counts when the right held all the time from sending to answer."""
    oracle = Oracle()
    oracle.refused(request(sent, secret()), at=refused, status=503)
    assert bool(oracle.refusals) is wrong
    assert not oracle.violations


def test_nothing_allows_a_request_without_a_right() -> None:
    """A request that nothing allows is a violation whenever it is allowed."""
    oracle = Oracle()
    oracle.allowed(request(12, None), at=13)
    oracle.refused(request(12, None), at=13, status=403)
    assert oracle.violations == ["a request was allowed, sent at 12.000"]
    assert oracle.passed == oracle.stopped == {"a request": 1}


def test_an_unknown_outcome_decides_nothing() -> None:
    """After a call that ends a right and got no answer, both answers are right, until one that did return."""
    right = Right("secret 2")
    right.becomes(Holds.YES, at=1)
    right.becomes(Holds.MAYBE, at=2)
    oracle = Oracle()
    oracle.allowed(request(50, right), at=51)
    oracle.refused(request(50, right), at=51, status=401)
    assert not oracle.violations
    assert not oracle.refusals
    right.becomes(Holds.NO, at=60)
    oracle.allowed(request(60, right), at=61)
    assert oracle.violations


def test_a_right_that_is_given_again() -> None:
    """What ended may come back: between the two an allow is wrong, and later it is not."""
    right = secret()
    right.becomes(Holds.MAYBE, at=30)
    right.becomes(Holds.YES, at=31)
    oracle = Oracle()
    oracle.allowed(request(25, right), at=30.5)
    oracle.allowed(request(32, right), at=33)
    assert not oracle.violations
    oracle.allowed(request(25, right), at=29)
    assert len(oracle.violations) == 1
    assert "secret 1 had ended" in oracle.violations[0]


def test_refusals_are_found_by_when_they_were_sent() -> None:
    """The price of a fault is counted over a time."""
    right = Right("secret 3")
    right.becomes(Holds.YES, at=0)
    oracle = Oracle()
    for at in (1, 2, 3):
        oracle.refused(request(at, right), at=at + 0.1, status=None)
    assert [each.request.at for each in oracle.refusals_between(2, 3)] == [2]
