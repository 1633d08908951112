"""A call that narrows access returns when Envoy has forgotten, too, however the replica hears of it."""

from collections.abc import Iterator

import pytest

from doorward_server.domain.ids import Revision
from doorward_server.services.leases import DRIFT
from tests.integration.storage.samples import app
from tests.support.hand_moved_loop import HandMovedLoop
from tests.unit.check.stream_world import LEASE, Api, FakeEnvoy, FakePolicyStorage, FakeReplica

LIFETIME = 1.0


class World:
    """One api, one replica with a policy, and an Envoy that has just been allowed a request."""

    def __init__(self) -> None:
        self.loop = HandMovedLoop()
        self.storage = FakePolicyStorage(self.loop)
        self.storage.commit()
        self.api = Api(self.loop, self.storage)
        self.envoy = FakeEnvoy(self.loop)
        self.replica = FakeReplica(self.loop, rate=1.0, lifetime=LIFETIME)
        self.replica.connect(self.api)
        self.replica.exchange()
        self.loop.advance(1)
        self.envoy.ask(self.replica, self.storage.app)
        assert self.envoy.repeats() == [1]

    def heartbeat(self) -> None:
        """The replica sends a message, and all arrives that is under way."""
        self.replica.report()
        self.replica.exchange()


@pytest.fixture
def world() -> Iterator[World]:
    """The world, ended at the end."""
    world = World()
    yield world
    world.api.kill()
    world.loop.close()


def assert_enforced_when_forgotten(world: World) -> None:
    """The call returns a lifetime later, not sooner, and then nothing is repeated."""
    world.heartbeat()
    assert (world.api.enforced(), world.envoy.repeats()) == (0, [1])
    world.loop.advance(LIFETIME)
    world.heartbeat()
    # A thousandth is left, for the clocks of two machines do not run alike.
    assert world.api.enforced() == 0
    world.loop.advance(LIFETIME * (DRIFT - 1) + 1e-6)
    world.heartbeat()
    assert (world.api.enforced(), world.envoy.repeats()) == (2, [])


def test_a_change_is_enforced_when_what_was_allowed_before_it_is_forgotten(world: World) -> None:
    """The replica decides by the change at once, and acknowledges it later."""
    world.api.wait(world.storage.commit())
    world.replica.exchange()
    assert world.replica.decides_by(world.storage.app) == 2
    assert_enforced_when_forgotten(world)


def test_so_is_a_change_that_comes_in_a_snapshot(world: World) -> None:
    """A replica that was away for too long to be told the changes starts anew; Envoy does not."""
    revision = world.storage.commit()
    world.storage.oldest = revision
    world.replica.connect(world.api)
    world.api.wait(revision)
    world.replica.exchange()
    assert_enforced_when_forgotten(world)


def test_so_is_one_that_the_replica_applied_on_the_stream_before(world: World) -> None:
    """A new stream, on which there is nothing new, does not acknowledge early."""
    world.api.wait(world.storage.commit())
    assert world.replica.receive()
    world.replica.connect(world.api)
    world.replica.exchange()
    assert_enforced_when_forgotten(world)


def test_an_addition_is_acknowledged_at_once(world: World) -> None:
    """What was not there opened nothing, so whoever creates a token can use it with the next request."""
    world.storage.app = app(labels={})
    world.storage.revision += 1
    world.api.wait(Revision(world.storage.revision))
    world.replica.exchange()
    assert (world.api.enforced(), world.envoy.repeats()) == (2, [1])


def test_a_replica_that_leaves_is_waited_for_until_envoy_has_forgotten(world: World) -> None:
    """Its goodbye comes a lifetime after its last decision, and not before."""
    world.replica.leave()
    world.api.wait(world.storage.commit())
    world.replica.exchange()
    assert (world.api.enforced(), world.envoy.repeats()) == (2, [])


def test_a_replica_that_is_lost_lets_nothing_be_remembered_past_its_lease(world: World) -> None:
    """When the api stops to wait for it, Envoy repeats nothing of it, though it decided to the last."""
    world.api.wait(world.storage.commit())
    world.loop.advance(LEASE - 3)
    while world.api.enforced() == 0:
        world.envoy.ask(world.replica, world.storage.app)
        # Steps that miss the end of the lease: a clock that stands just before it never gets there.
        world.loop.advance(0.0073)
    assert world.loop.now < 1_000 + LEASE + LIFETIME + 1
    assert world.envoy.repeats() == []
