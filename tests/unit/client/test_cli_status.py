"""`doorward status`: what it shows of the replicas, and when it fails."""

from datetime import timedelta

import grpc
import pytest

import doorward
from doorward._conversions import duration, timestamp
from doorward.v1.replica_service_pb2 import Replica, ReplicaState
from tests.unit.client.cli import Doorward
from tests.unit.client.fake_api import FakeApi

IDS = [f"{number}f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11" for number in range(4)]


def replica(number: int = 0, state: str = "CURRENT", **changes: object) -> Replica:
    """A replica that was heard of five seconds ago."""
    made = Replica(
        replica_id=IDS[number],
        display_name=f"edge-1/check-{number}",
        region="GRA",
        state=ReplicaState.Value(f"REPLICA_STATE_{state}"),
        applied_revision=7,
        lease_remaining=duration(timedelta(seconds=25)),
        connect_time=timestamp(-timedelta(minutes=3)),
        last_heard_time=timestamp(-timedelta(seconds=5)),
    )
    made.MergeFrom(Replica(**changes))  # type: ignore[arg-type]  # fields by name
    return made


def test_all_is_well(doorward_cli: Doorward, api: FakeApi) -> None:
    """The newest revision and the lease, then a line for each replica; status 0."""
    api.state.revision = 7
    api.state.replicas = [replica(0), replica(1), replica(2)]
    api.state.replicas[1].region = ""
    lines = doorward_cli("status").lines()
    assert lines[:4] == ["REVISION  7", "LEASE     30s", "REPLICAS  3 current", ""]
    headings, first, second, third = lines[4:]
    columns = headings.split()
    assert columns[:7] == ["ID", "NAME", "REGION", "STATE", "REVISION", "LAG", "LEASE"]
    assert first.split()[:7] == [IDS[0], "edge-1/check-0", "GRA", "CURRENT", "7", "0", "25s"]
    assert "(every region)" in second
    assert third.startswith(IDS[2])


def test_no_replica(doorward_cli: Doorward, api: FakeApi) -> None:
    """Where no replica is connected the command fails, whatever it still shows."""
    ended = doorward_cli("status")
    assert ended.code == 1
    assert ended.out.splitlines() == ["REVISION  0", "LEASE     30s", "REPLICAS  none"]
    assert ended.err.startswith("error: no replica is connected")
    api.state.replicas = [replica(state="DISCONNECTED")]
    ended = doorward_cli("status")
    assert ended.code == 1
    assert "DISCONNECTED" in ended.out
    assert len(ended.err.splitlines()) == 1


def test_a_replica_that_lags(doorward_cli: Doorward, api: FakeApi) -> None:
    """One that lags makes the command fail, and is named; one that is behind for a moment does not."""
    api.state.revision = 9
    api.state.replicas = [
        replica(0),
        replica(1, state="BEHIND", lag_revisions=2, lag=duration(timedelta(milliseconds=30))),
        replica(2, state="DISCONNECTED"),
    ]
    ended = doorward_cli("status")
    assert (ended.code, ended.err) == (0, "")
    assert "2 (0s)" in ended.out
    assert "REPLICAS  1 behind, 1 current, 1 disconnected" in ended.out
    api.state.replicas.append(
        replica(3, state="LAGGING", lag_revisions=2, lag=duration(timedelta(seconds=40)))
    )
    ended = doorward_cli("status")
    assert ended.code == 1
    assert "2 (40s)" in ended.out
    assert ended.err == f"error: replica {IDS[3]} lags: it has lacked a revision for 40 s\n"


def test_a_lease_of_zero(doorward_cli: Doorward, api: FakeApi) -> None:
    """Where replicas decide for ever, that is said."""
    api.state.lease = timedelta()
    endless = replica()
    endless.ClearField("lease_remaining")
    api.state.replicas = [endless]
    out = "\n".join(doorward_cli("status").lines())
    assert "LEASE     none: a replica that cannot be reached decides for ever" in out
    assert "no end" in out


def test_for_programs(doorward_cli: Doorward, api: FakeApi) -> None:
    """JSON and YAML hold one object with every replica, and the exit code is that of the table."""
    api.state.revision = 7
    api.state.replicas = [replica(0), replica(1), replica(2)]
    answer = doorward_cli("status", "-o", "json").json()
    assert [each["replicaId"] for each in answer["replicas"]] == IDS[:3]
    assert (answer["policyRevision"], answer["policyLease"]) == ("7", "30s")
    assert set(answer) == {"replicas", "policyRevision", "policyLease"}
    assert answer["replicas"][0]["state"] == "REPLICA_STATE_CURRENT"
    assert "policyRevision: '7'" in doorward_cli("status", "-o", "yaml").lines()
    api.state.replicas = []
    assert doorward_cli("status", "-o", "json").code == 1


def test_a_name_cannot_move_the_cursor(doorward_cli: Doorward, api: FakeApi) -> None:
    """What a replica calls itself is escaped."""
    api.state.replicas = [replica(display_name="\x1b[2Jedge")]
    assert "\x1b" not in "\n".join(doorward_cli("status").lines())


def test_who_may_not(doorward_cli: Doorward, api: FakeApi) -> None:
    """A token that is no ADMIN's gets the exit code for that, and an api that is down another one."""
    api.fail("ListReplicas", grpc.StatusCode.PERMISSION_DENIED)
    assert doorward_cli("status").code == 4
    api.fail("ListReplicas", grpc.StatusCode.UNAVAILABLE, times=9)
    assert doorward_cli("status", "--timeout", "1s").code == 7


@pytest.mark.parametrize("size", [0, 3])
def test_the_library_lists_them(client: doorward.Client, api: FakeApi, size: int) -> None:
    """`client.replicas.list()` gives every replica of every page, asked for in the size that is wanted."""
    api.state.replicas = [replica(number) for number in range(4)]
    assert [each.replica_id for each in client.replicas.list(page_size=size)] == IDS
    assert [call.request.page_size for call in api.state.seen["ListReplicas"]] == [size, size]  # type: ignore[attr-defined]
