"""The promise that all others rest on: what was enforced, no replica decides without, and no Envoy."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from doorward_server.domain.ids import Revision
from tests.support.hand_moved_loop import HandMovedLoop
from tests.unit.check.stream_world import (
    LEASE,
    Api,
    Connection,
    FakeEnvoy,
    FakePolicyStorage,
    FakeReplica,
)

# NTP slews by 500 ppm at most, to either side.
_RATES = st.sampled_from([0.9995, 1.0, 1.0005])
_LIFETIMES = st.sampled_from([0.0, 0.25, 1.0])
_MOMENTS = st.sampled_from([0.0, 0.249, 0.251, 0.999, 1.001, 1.003])
_PAUSES = st.sampled_from([0.001, 4.0, 11.0, LEASE - 0.001, LEASE, LEASE + 0.1])
_COUNTS = st.integers(1, 6)


class Streams(RuleBasedStateMachine):
    """Replicas, networks, databases and api processes that do what they like, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = HandMovedLoop()
        self.storage = FakePolicyStorage(self.loop)
        self.api = Api(self.loop, self.storage)
        self.replicas: list[FakeReplica] = []
        self.envoy = FakeEnvoy(self.loop)
        self.connections: list[Connection] = []
        self.unannounced: list[Revision] = []
        self.enforced = 0

    def teardown(self) -> None:
        try:
            self.check_that_every_call_returns()
        finally:
            self.api.kill()
            self.loop.close()

    # A replica

    @initialize(replicas=st.lists(st.tuples(_RATES, _LIFETIMES), max_size=2))
    def begins(self, replicas: list[tuple[float, float]]) -> None:
        for rate, lifetime in replicas:
            self.starts(rate, lifetime)

    @precondition(lambda self: len(self.replicas) < 3 and self.api.up)
    @rule(rate=_RATES, lifetime=_LIFETIMES)
    def starts(self, rate: float, lifetime: float) -> None:
        replica = FakeReplica(self.loop, rate=rate, lifetime=lifetime)
        self.replicas.append(replica)
        self.connections.append(replica.connect(self.api))
        replica.exchange()

    @precondition(lambda self: self.replicas)
    @rule(data=st.data())
    def exchanges_heartbeats(self, data: Any) -> None:
        replica = self.any_replica(data)
        replica.report()
        replica.exchange()

    @precondition(lambda self: self.replicas and self.api.up)
    @rule(data=st.data())
    def begins_a_stream(self, data: Any) -> None:
        replica = self.any_replica(data)
        self.connections.append(replica.connect(self.api))

    @precondition(lambda self: self.replicas)
    @rule(data=st.data())
    def sends_a_heartbeat(self, data: Any) -> None:
        self.any_replica(data).report()

    @precondition(lambda self: self.replicas)
    @rule(data=st.data(), count=_COUNTS)
    def receives(self, data: Any, count: int) -> None:
        replica = self.any_replica(data)
        for _ in range(count):
            replica.receive()

    @precondition(lambda self: self.replicas)
    @rule(data=st.data())
    def leaves(self, data: Any) -> None:
        replica = self.any_replica(data)
        self.replicas.remove(replica)
        replica.leave()

    @precondition(lambda self: self.replicas)
    @rule(data=st.data())
    def crashes(self, data: Any) -> None:
        self.replicas.remove(self.any_replica(data))

    # The network

    @precondition(lambda self: self.connections)
    @rule(data=st.data(), count=_COUNTS)
    def delivers_to_the_api(self, data: Any, count: int) -> None:
        self.any_connection(data).deliver(count)

    @precondition(lambda self: self.connections)
    @rule(data=st.data())
    def breaks_a_stream(self, data: Any) -> None:
        connection = self.any_connection(data)
        self.connections.remove(connection)
        connection.hang_up()

    @precondition(lambda self: self.connections)
    @rule(data=st.data())
    def is_congested_or_flows_again(self, data: Any) -> None:
        self.any_connection(data).toggle()

    @precondition(lambda self: self.under_way())
    @rule(data=st.data())
    def loses_a_message(self, data: Any) -> None:
        data.draw(st.sampled_from(self.under_way())).lose()

    @precondition(lambda self: self.under_way())
    @rule(data=st.data())
    def doubles_a_message(self, data: Any) -> None:
        data.draw(st.sampled_from(self.under_way())).double()

    # The api and its database

    @rule()
    def commits_a_change(self) -> None:
        self.unannounced.append(self.storage.commit())

    @precondition(lambda self: self.api.up)
    @rule()
    def commits_a_change_and_waits(self) -> None:
        self.api.wait(self.storage.commit())

    @precondition(lambda self: self.replicas and self.api.up)
    @rule(data=st.data(), seconds=_MOMENTS)
    def commits_a_change_while_all_is_well(self, data: Any, seconds: float) -> None:
        replica = self.any_replica(data)
        self.api.wait(self.storage.commit())
        replica.exchange()
        self.loop.advance(seconds)
        replica.report()
        replica.exchange()

    @precondition(lambda self: self.unannounced and self.api.up)
    @rule()
    def waits_for_the_replicas(self) -> None:
        self.api.wait(self.unannounced.pop(0))

    @rule()
    def forgets_old_changes(self) -> None:
        self.storage.oldest = self.storage.revision

    @rule()
    def has_a_slow_or_fast_database(self) -> None:
        self.storage.toggle()

    @precondition(lambda self: self.api.up)
    @rule()
    def keeps_house(self) -> None:
        self.api.keep_house()

    @rule()
    def is_killed_and_restarted(self) -> None:
        self.unannounced.clear()
        self.api.kill()
        self.api = Api(self.loop, self.storage)

    # Time

    @rule(seconds=_PAUSES)
    def passes(self, seconds: float) -> None:
        self.loop.advance(seconds)

    # The promises

    @invariant()
    def no_replica_decides_without_what_was_enforced(self) -> None:
        self.enforced = max(self.enforced, self.api.enforced())
        for replica in self.replicas:
            decides_by = replica.decides_by(self.storage.app)
            assert decides_by is None or decides_by >= self.enforced

    @invariant()
    def envoy_repeats_nothing_from_before_what_was_enforced(self) -> None:
        self.enforced = max(self.enforced, self.api.enforced())
        assert all(decided_by >= self.enforced for decided_by in self.envoy.repeats())
        # Requests come all the time, to every replica.
        for replica in self.replicas:
            self.envoy.ask(replica, self.storage.app)

    @invariant()
    def streams_end_for_a_reason(self) -> None:
        self.api.check_endings()

    def check_that_every_call_returns(self) -> None:
        """However it went: once things work again, calls return, with the longest lease at the latest."""
        self.storage.fast.set()
        for _ in range(3):
            for connection in self.connections:
                connection.flowing.set()
                connection.deliver(1_000)
            # What the database or the network held up goes on before the time is taken.
            self.loop.settle()
            for replica in self.replicas:
                while replica.receive():
                    pass
        self.loop.advance(LEASE * 1.01)
        assert all(task.done() for _, task in self.api.waits)

    def any_replica(self, data: Any) -> FakeReplica:
        """One of them."""
        replica: FakeReplica = data.draw(st.sampled_from(self.replicas))
        return replica

    def under_way(self) -> list[Connection]:
        """The connections on which something is under way to a replica."""
        return [each for each in self.connections if each.to_replica]

    def any_connection(self, data: Any) -> Connection:
        """One that is not known to be broken, also when the replica has begun another since."""
        connection: Connection = data.draw(st.sampled_from(self.connections))
        return connection


TestStreams = Streams.TestCase
TestStreams.settings = settings(max_examples=400, stateful_step_count=50, deadline=None)
