"""A replica says that it serves for as long as it may decide."""

from collections.abc import Iterator

import pytest

from doorward_server.check.lease import Lease
from doorward_server.check.readiness import Readiness
from tests.support.hand_moved_loop import HandMovedLoop

LEASE = 30.0


class Scene:
    """A lease on a clock that a test moves, and what Envoy was told of it."""

    def __init__(self, loop: HandMovedLoop) -> None:
        self.loop = loop
        self.told: list[bool] = []
        self.lease = Lease(loop.time)
        self.readiness = Readiness(lease=self.lease, set_serving=self.told.append)

    def hear(self, *, lease: float = LEASE) -> None:
        """A message comes that was sent just now."""
        self.lease.renew(self.loop.time(), lease)
        self.look()

    def look(self) -> None:
        """A message comes that grants nothing."""
        self.loop.call_soon(self.readiness.update)
        self.loop.settle()

    @property
    def waits(self) -> bool:
        """Whether it will look again by itself."""
        return self.readiness._timer is not None


@pytest.fixture
def scene() -> Iterator[Scene]:
    """Before the first message."""
    loop = HandMovedLoop()
    yield Scene(loop)
    loop.close()


def test_it_does_not_serve_before_there_is_a_lease(scene: Scene) -> None:
    """Messages that grant none change nothing."""
    scene.look()
    assert scene.told == []
    scene.hear()
    assert scene.told == [True]


def test_it_says_so_when_the_lease_runs_out(scene: Scene) -> None:
    """By itself and at that moment: there is no message that it could wait for."""
    scene.hear()
    scene.loop.advance(LEASE - 0.001)
    assert scene.told == [True]
    scene.loop.advance(0.001)
    assert scene.told == [True, False]


def test_it_serves_again_with_a_new_lease(scene: Scene) -> None:
    """The next answer of the control plane brings it back."""
    scene.hear()
    scene.loop.advance(LEASE)
    scene.loop.advance(LEASE)
    scene.hear()
    assert scene.told == [True, False, True]
    scene.loop.advance(LEASE)
    assert scene.told == [True, False, True, False]


def test_it_says_nothing_twice(scene: Scene) -> None:
    """While the lease is renewed in time, Envoy hears of it once."""
    for _ in range(10):
        scene.hear()
        scene.loop.advance(LEASE / 2)
    assert scene.told == [True]


def test_a_lease_without_an_end_is_not_watched(scene: Scene) -> None:
    """Fail static: there is nothing to wait for."""
    scene.hear(lease=0)
    assert not scene.waits
    scene.loop.advance(365 * 86_400)
    assert scene.told == [True]


def test_a_change_of_the_lease_is_said(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """An operator reads why everything is denied."""
    with caplog.at_level("INFO"):
        scene.hear()
        scene.loop.advance(LEASE)
    assert [each.levelname for each in caplog.records] == ["INFO", "ERROR"]
    assert "denying everything" in caplog.text


def test_once_closed_it_looks_no_more(scene: Scene) -> None:
    """A process that ends says nothing of a lease that it needs no longer."""
    scene.hear()
    scene.readiness.close()
    scene.loop.advance(LEASE)
    assert scene.told == [True]
    assert not scene.waits
