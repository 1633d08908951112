"""The metrics of api."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from prometheus_client.core import Metric

from doorward_server.metrics.families import (
    Labels,
    counter,
    counters,
    gauge,
    gauges,
    histogram,
    histograms,
    rendering,
)
from doorward_server.metrics.listening import serving_metrics
from doorward_server.rpc.call_tally import CallTally
from doorward_server.services.hashing import SecretHasher
from doorward_server.services.replica_service import Followers, lag_revisions, state_of
from doorward_server.services.timed_publisher import TimedPublisher
from doorward_server.storage import SqlStorage


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiVitals:
    """What can be seen of api while it runs."""

    followers: Followers
    publisher: TimedPublisher
    hasher: SecretHasher
    storage: SqlStorage
    calls: CallTally


@asynccontextmanager
async def api_metrics(vitals: ApiVitals, *, address: str, port: int) -> AsyncIterator[None]:
    """Serve the metrics of api inside this block; raises `MetricsListenError`."""
    async with serving_metrics(rendering(partial(collect_api, vitals)), address=address, port=port):
        yield


def collect_api(vitals: ApiVitals) -> Iterator[Metric]:
    """The metrics at this moment."""
    yield from _of_replicas(vitals.followers)
    yield from _of_waits(vitals.publisher)
    yield from _of_hashing(vitals.hasher)
    yield from _of_database(vitals.storage)
    yield from _of_calls(vitals.calls)


def _of_replicas(followers: Followers) -> Iterator[Metric]:
    views, newest = followers.replicas(), followers.newest_revision
    connected = [view for view in views if view.connected is not None]
    yield gauge("doorward_policy_revision", "The newest revision of the policy.", newest)
    yield gauges(
        "doorward_replicas",
        "Replicas that are connected or may still decide; region empty: every region.",
        ("region", "state"),
        _counted(
            Counter(
                (view.identity.region or "", state_of(view, lease=followers.lease).name) for view in views
            )
        ),
    )
    yield gauge(
        "doorward_policy_lag_revisions",
        "Revisions that the replica lacks that lacks the most.",
        max((lag_revisions(view, newest) for view in views), default=0),
    )
    yield gauge(
        "doorward_policy_lag_seconds",
        "For how long the replica has lacked a revision that has lacked one the longest.",
        max((view.behind or 0.0 for view in views), default=0.0),
    )
    yield gauges(
        "doorward_replica_silence_seconds",
        "How long ago the connected replica was heard of that was heard of the longest ago.",
        (),
        _only(max((view.heard for view in connected if view.heard is not None), default=None)),
    )
    yield gauges(
        "doorward_replica_lease_remaining_seconds",
        "How long the lease goes on of the connected replica that has the least of it.",
        (),
        _only(min((view.lease for view in connected), default=None)),
    )


def _of_waits(publisher: TimedPublisher) -> Iterator[Metric]:
    yield gauge("doorward_enforcement_waiting", "Calls that wait for the replicas.", publisher.waiting)
    yield histogram(
        "doorward_enforcement_wait_seconds",
        "How long calls waited until no replica decided without their change.",
        publisher.waits,
    )


def _of_hashing(hasher: SecretHasher) -> Iterator[Metric]:
    load = hasher.load
    yield gauge("doorward_argon2_waiting", "Secrets that wait to be hashed.", load.waiting)
    yield gauge("doorward_argon2_running", "Secrets that are being hashed.", load.running)
    yield histogram(
        "doorward_argon2_duration_seconds",
        "How long hashing a secret took, without the wait.",
        load.durations,
    )
    yield counter(
        "doorward_argon2_refused_total", "Secrets that were not hashed: the queue was full.", load.refused
    )


def _of_database(storage: SqlStorage) -> Iterator[Metric]:
    pools = storage.pools()
    connections: dict[Labels, float] = {}
    for pool in pools:
        connections[pool.name, "in_use"] = pool.in_use
        connections[pool.name, "idle"] = pool.idle
    yield gauges(
        "doorward_database_pool_size",
        "Connections that a pool may have; on SQLite one pool writes and one reads.",
        ("pool",),
        {(pool.name,): pool.size for pool in pools},
    )
    yield gauges(
        "doorward_database_pool_connections",
        "Connections of a pool that are in use or idle.",
        ("pool", "state"),
        connections,
    )


def _of_calls(calls: CallTally) -> Iterator[Metric]:
    yield counters(
        "doorward_rpc_calls_total",
        "Calls that have ended; method other: none that is served.",
        ("method", "code"),
        _counted(calls.ended),
    )
    yield histograms(
        "doorward_rpc_duration_seconds",
        "How long calls with one answer took.",
        ("method",),
        {(method,): durations for method, durations in calls.durations.items()},
    )


def _counted(counts: Counter[tuple[str, str]]) -> dict[Labels, float]:
    return {labels: float(count) for labels, count in counts.items()}


def _only(value: float | None) -> dict[Labels, float]:
    """The value of a metric without labels, which is not there when there is none."""
    return {} if value is None else {(): value}
