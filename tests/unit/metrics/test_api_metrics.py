"""The metrics of api: replicas, waits, hashing, connections and calls."""

from pathlib import Path

from doorward_server.domain.ids import RegionName, Revision
from doorward_server.metrics.api import collect_api
from doorward_server.rpc.calls import CallState
from doorward_server.services.leases import ReplicaIdentity, ReplicaView
from tests.support.fakes import FakePropagation
from tests.support.scraping import Scrape
from tests.unit.metrics.vitals import METHOD, api_vitals


def view(
    number: int,
    *,
    region: str | None = None,
    connected: float | None = 9.0,
    heard: float | None = 1.0,
    applied: int = 5,
    behind: float | None = None,
    lease: float = 29.0,
) -> ReplicaView:
    """A replica."""
    return ReplicaView(
        identity=ReplicaIdentity(
            replica_id=f"replica-{number}",
            display_name=f"edge-{number}/check-0",
            region=None if region is None else RegionName(region),
        ),
        connected=connected,
        heard=heard,
        applied=Revision(applied),
        behind=behind,
        lease=lease,
    )


async def scrape_of(propagation: FakePropagation, folder: Path) -> Scrape:
    """A scrape of an api that follows these replicas."""
    async with api_vitals(propagation, folder) as vitals:
        return Scrape.of_families(collect_api(vitals))


async def test_an_api_without_replicas(tmp_path: Path) -> None:
    """Lacks nothing, and says nothing of how long ago a replica was heard of."""
    scrape = await scrape_of(FakePropagation(), tmp_path)
    assert (scrape["doorward_policy_lag_revisions"], scrape["doorward_policy_lag_seconds"]) == (0, 0)
    assert scrape.get("doorward_replica_silence_seconds") is None
    assert scrape.get("doorward_replica_lease_remaining_seconds") is None


async def test_the_replicas(tmp_path: Path) -> None:
    """They are counted by region and state; of lag, silence and lease the worst is shown."""
    propagation = FakePropagation(
        announced=[Revision(9)],
        views=[
            view(1, region="GRA", applied=9),
            view(2, region="GRA", applied=9, heard=4.5),
            view(3, region="BHS", applied=7, behind=2.5, lease=11.0),
            view(4, applied=2, behind=40.0),
            # May still decide, but nobody expects to hear of it.
            view(5, connected=None, heard=29.0, applied=8, behind=1.0, lease=1.0),
        ],
    )
    scrape = await scrape_of(propagation, tmp_path)
    assert scrape["doorward_policy_revision"] == 9
    assert scrape.get("doorward_replicas", region="GRA", state="CURRENT") == 2
    assert scrape.get("doorward_replicas", region="BHS", state="BEHIND") == 1
    assert scrape.by("doorward_replicas", "state") == {
        "CURRENT": 2,
        "BEHIND": 1,
        "LAGGING": 1,
        "DISCONNECTED": 1,
    }
    assert scrape.by("doorward_replicas", "region") == {"GRA": 2, "BHS": 1, "": 2}
    assert scrape["doorward_policy_lag_revisions"] == 7
    assert scrape["doorward_policy_lag_seconds"] == 40.0
    assert scrape["doorward_replica_silence_seconds"] == 4.5
    assert scrape["doorward_replica_lease_remaining_seconds"] == 11.0
    assert "replica-" not in scrape.text()
    assert "edge-" not in scrape.text()


async def test_waits_and_hashing(tmp_path: Path) -> None:
    """What is under way now, and what has been so far."""
    async with api_vitals(FakePropagation(), tmp_path) as vitals:
        vitals.publisher.waiting = 3
        vitals.publisher.waits.observe(0.004)
        load = vitals.hasher.load
        load.waiting, load.running, load.refused = 5, 2, 7
        load.durations.observe(0.04)
        scrape = Scrape.of_families(collect_api(vitals))
    assert scrape["doorward_enforcement_waiting"] == 3
    assert scrape.get("doorward_enforcement_wait_seconds_bucket", le="0.0025") == 0
    assert scrape.get("doorward_enforcement_wait_seconds_bucket", le="0.005") == 1
    assert scrape.get("doorward_enforcement_wait_seconds_bucket", le="+Inf") == 1
    assert (scrape["doorward_argon2_waiting"], scrape["doorward_argon2_running"]) == (5, 2)
    assert scrape["doorward_argon2_refused_total"] == 7
    assert scrape["doorward_argon2_duration_seconds_count"] == 1
    assert scrape["doorward_argon2_duration_seconds_sum"] == 0.04


async def test_calls(tmp_path: Path) -> None:
    """By method and code; what callers make up has one name, and a stream no duration."""
    async with api_vitals(FakePropagation(), tmp_path) as vitals:
        calls = vitals.calls
        for method, streaming, code in (
            (METHOD, False, "OK"),
            (METHOD, False, "NOT_FOUND"),
            (METHOD, False, "OK"),
            ("/what.callers/MakeUp", False, "UNIMPLEMENTED"),
            ("/what.callers/MakeUp2", False, "UNIMPLEMENTED"),
        ):
            calls.report(CallState(method=method, streaming=streaming, request_id="1"), code, 0.25)
        scrape = Scrape.of_families(collect_api(vitals))
    name = METHOD[1:]
    assert scrape.get("doorward_rpc_calls_total", method=name, code="OK") == 2
    assert scrape.by("doorward_rpc_calls_total", "method") == {name: 3, "other": 2}
    assert scrape.get("doorward_rpc_duration_seconds_count", method=name) == 3
    assert scrape.get("doorward_rpc_duration_seconds_bucket", method=name, le="0.25") == 3
    assert "MakeUp" not in scrape.text()


async def test_a_stream_has_no_duration(tmp_path: Path) -> None:
    """It is counted when it ends; how long it was open says nothing of the server."""
    async with api_vitals(FakePropagation(), tmp_path) as vitals:
        vitals.calls.report(CallState(method=METHOD, streaming=True, request_id="1"), "CANCELLED", 3600.0)
        scrape = Scrape.of_families(collect_api(vitals))
    assert scrape.get("doorward_rpc_calls_total", method=METHOD[1:], code="CANCELLED") == 1
    assert scrape.get("doorward_rpc_duration_seconds_count", method=METHOD[1:]) is None


async def test_pools(tmp_path: Path) -> None:
    """On SQLite one connection writes and a few read; none is open yet."""
    scrape = await scrape_of(FakePropagation(), tmp_path)
    assert scrape.by("doorward_database_pool_size", "pool") == {"writer": 1, "reader": 4}
    assert scrape.by("doorward_database_pool_connections", "pool") == {}
    assert scrape.get("doorward_database_pool_connections", pool="reader", state="idle") == 0
