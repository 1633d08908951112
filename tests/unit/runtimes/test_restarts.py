"""When a program that has crashed is started again."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.runtimes import RestartPolicy
from doorward_server.runtimes.children.restarts import Restarts


def delays(policy: RestartPolicy, times: list[float]) -> list[float | None]:
    """What follows on crashes at *times*."""
    clock = iter(times)
    restarts = Restarts(policy, lambda: next(clock))
    return [restarts.delay() for _ in times]


def test_grows_and_gives_up() -> None:
    """Each delay is twice the one before; the fifth crash in the window is one too many."""
    assert delays(RestartPolicy(), [0, 1, 2, 3, 4]) == [0.5, 1.0, 2.0, 4.0, None]


def test_longest_delay() -> None:
    """A delay never grows past the longest."""
    policy = RestartPolicy(crashes=None, longest_delay=3.0)
    assert delays(policy, [0.0] * 100)[-97:] == [3.0] * 97


@pytest.mark.parametrize(("time", "expected"), [(299.9, None), (300.0, 4.0)])
def test_window(time: float, expected: float | None) -> None:
    """A crash counts until the window has passed, and not from then on."""
    assert delays(RestartPolicy(), [0, 1, 2, 3, time])[-1] == expected


@given(st.lists(st.floats(0, 400), min_size=1, max_size=30).map(sorted))
def test_against_counting(times: list[float]) -> None:
    """Giving up is exactly: as many crashes within the window as the policy says."""
    policy = RestartPolicy(crashes=3, window=100.0)
    for index, answer in enumerate(delays(policy, times)):
        recent = [time for time in times[: index + 1] if time > times[index] - 100.0]
        assert (answer is None) == (len(recent) >= 3)


@given(st.lists(st.floats(0, 60), min_size=1, max_size=100).map(sorted))
def test_never_gives_up(times: list[float]) -> None:
    """Without a number of crashes it never gives up; within a window, delays never get shorter."""
    found = [delay for delay in delays(RestartPolicy(crashes=None), times) if delay is not None]
    assert len(found) == len(times)
    assert all(before <= after for before, after in pairwise(found))
