"""How many sessions a token begins."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.domain.credentials import mint_token_id
from doorward_server.services import session_limit
from doorward_server.services.errors import TooManySessionsError
from doorward_server.services.session_limit import SessionLimit, SessionRate

MINE, OTHER = mint_token_id(), mint_token_id()


@dataclass
class Clock:
    """Moves when it is told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(limit: SessionLimit) -> bool:
    """Whether one more is let through."""
    try:
        limit.take(MINE)
    except TooManySessionsError:
        return False
    return True


def test_so_many_at_once_and_then_so_many_a_minute() -> None:
    """Who waits as long as it is told to gets one; a rest of a while gives back all of them, and no more."""
    clock = Clock()
    limit = SessionLimit(SessionRate(burst=3, per_minute=6), clock=clock)
    assert [taken(limit) for _ in range(5)] == [True] * 3 + [False] * 2
    with pytest.raises(TooManySessionsError, match=MINE) as refused:
        limit.take(MINE)
    assert refused.value.retry_after.total_seconds() == pytest.approx(10)
    assert refused.value.metadata == {"token_id": MINE}
    clock.now += 9.9
    assert not taken(limit)
    clock.now += 0.1
    assert [taken(limit) for _ in range(2)] == [True, False]
    clock.now += 3600
    assert [taken(limit) for _ in range(4)] == [True] * 3 + [False]


def test_tokens_do_not_wait_for_each_other() -> None:
    """Each has a bucket of its own."""
    limit = SessionLimit(SessionRate(burst=1, per_minute=1), clock=Clock())
    limit.take(MINE)
    limit.take(OTHER)
    assert not taken(limit)


def test_not_all_tokens_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that began a session last are: memory is bounded, and the busy ones are not forgotten."""
    monkeypatch.setattr(session_limit, "_KEPT", 2)
    clock = Clock()
    limit = SessionLimit(SessionRate(burst=2, per_minute=1), clock=clock)
    limit.take(MINE)
    limit.take(OTHER)
    limit.take(MINE)
    limit.take(mint_token_id())
    assert not taken(limit)
    assert len(limit._empty_at) == 2


@given(st.integers(1, 20), st.floats(0.1, 1000), st.lists(st.floats(0, 100), max_size=60))
def test_never_more_than_the_rate_allows(burst: int, per_minute: float, waits: list[float]) -> None:
    """In whatever span of time: the burst, and what flows off meanwhile."""
    clock = Clock()
    limit = SessionLimit(SessionRate(burst=burst, per_minute=per_minute), clock=clock)
    times = []
    for wait in waits:
        clock.now += wait
        if taken(limit):
            times.append(clock.now)
    for first in range(len(times)):
        for last in range(first, len(times)):
            most = burst + (times[last] - times[first]) * per_minute / 60
            assert last - first + 1 <= most + 1e-3
