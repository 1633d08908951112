"""ListReplicas: how the replicas stand, and who may know."""

import math
from datetime import timedelta
from typing import Any

import grpc
import pytest

from doorward.v1.replica_service_pb2 import ListReplicasRequest, ReplicaState
from doorward_server.domain.ids import RegionName, Revision
from doorward_server.services.leases import ReplicaIdentity, ReplicaView
from tests.integration.rpc.conftest import Api

IDS = [f"{number}f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11" for number in range(4)]


def view(
    number: int = 0, *, applied: int = 5, behind: float | None = None, connected: float | None = 60.0
) -> ReplicaView:
    """A replica that was heard of two seconds ago."""
    return ReplicaView(
        identity=ReplicaIdentity(
            replica_id=IDS[number], display_name=f"edge-1/check-{number}", region=RegionName("GRA")
        ),
        connected=connected,
        heard=2.0,
        applied=Revision(applied),
        behind=behind,
        lease=28.0,
    )


async def test_how_a_replica_stands(api: Api) -> None:
    """Its identity, its revision and lag, its lease, and the times of its connection and last message."""
    api.world.propagation.announce(Revision(7))
    api.world.propagation.views = [view(behind=1.5)]
    answer = await api.call(api.replicas.ListReplicas, ListReplicasRequest())
    (replica,) = answer.replicas
    assert (replica.replica_id, replica.display_name, replica.region) == (IDS[0], "edge-1/check-0", "GRA")
    assert (replica.applied_revision, replica.lag_revisions, replica.lag.ToTimedelta()) == (
        5,
        2,
        timedelta(seconds=1.5),
    )
    assert replica.state == ReplicaState.REPLICA_STATE_BEHIND
    assert replica.lease_remaining.ToTimedelta() == timedelta(seconds=28)
    since = replica.last_heard_time.ToDatetime() - replica.connect_time.ToDatetime()
    assert since == timedelta(seconds=58)
    assert (answer.policy_revision, answer.policy_lease.ToTimedelta()) == (7, timedelta(seconds=30))
    assert answer.next_page_token == ""


@pytest.mark.parametrize(
    ("behind", "connected", "lease", "state"),
    [
        (None, 1.0, 30.0, "CURRENT"),
        (0.0, 1.0, 30.0, "BEHIND"),
        (30.0, 1.0, 30.0, "BEHIND"),
        (30.1, 1.0, 30.0, "LAGGING"),
        (2.0, 1.0, 1.0, "LAGGING"),
        (29.0, 1.0, 0.0, "BEHIND"),
        (31.0, 1.0, 0.0, "LAGGING"),
        (31.0, None, 30.0, "DISCONNECTED"),
        (None, None, 30.0, "DISCONNECTED"),
    ],
)
async def test_the_state(
    api: Api, behind: float | None, connected: float | None, lease: float, state: str
) -> None:
    """A replica lags once it has lacked a revision for longer than the lease, or 30 s where there is none."""
    api.world.propagation.lease = lease
    api.world.propagation.views = [view(behind=behind, connected=connected)]
    (replica,) = (await api.call(api.replicas.ListReplicas, ListReplicasRequest())).replicas
    assert replica.state == ReplicaState.Value(f"REPLICA_STATE_{state}")
    assert replica.HasField("connect_time") == (connected is not None)


async def test_a_replica_of_a_former_server(api: Api) -> None:
    """Of one that has not connected here nothing is known but its id and how long it may still decide."""
    api.world.propagation.views = [
        ReplicaView(
            identity=ReplicaIdentity(replica_id=IDS[0]),
            connected=None,
            heard=None,
            applied=Revision(0),
            behind=3.0,
            lease=27.0,
        )
    ]
    (replica,) = (await api.call(api.replicas.ListReplicas, ListReplicasRequest())).replicas
    assert (replica.display_name, replica.region) == ("", "")
    assert not replica.HasField("last_heard_time")


async def test_a_lease_without_end(api: Api) -> None:
    """Where replicas decide for ever there is no remaining time to tell."""
    api.world.propagation.lease = 0.0
    endless = view()
    api.world.propagation.views = [
        ReplicaView(
            identity=endless.identity,
            connected=1.0,
            heard=1.0,
            applied=Revision(5),
            behind=None,
            lease=math.inf,
        )
    ]
    answer = await api.call(api.replicas.ListReplicas, ListReplicasRequest())
    assert not answer.replicas[0].HasField("lease_remaining")
    assert answer.policy_lease.ToTimedelta() == timedelta()


async def test_pages(api: Api) -> None:
    """A page begins behind the last replica of the one before, also when that one has gone meanwhile."""
    api.world.propagation.views = [view(number) for number in range(4)]
    first = await api.call(api.replicas.ListReplicas, ListReplicasRequest(page_size=2))
    assert [each.replica_id for each in first.replicas] == IDS[:2]
    del api.world.propagation.views[1]
    second = await api.call(
        api.replicas.ListReplicas, ListReplicasRequest(page_size=2, page_token=first.next_page_token)
    )
    assert [each.replica_id for each in second.replicas] == IDS[2:]
    assert second.next_page_token == ""


@pytest.mark.parametrize(
    ("field", "value"), [("page_size", -1), ("page_token", "bm90IG91cnM="), ("page_token", "?")]
)
async def test_what_is_wrong_is_told(api: Api, field: str, value: Any) -> None:
    """A page that cannot be is refused, with the field."""
    refusal = await api.refused(api.replicas.ListReplicas, ListReplicasRequest(**{field: value}))
    assert (refusal.code, list(refusal.violations)) == (grpc.StatusCode.INVALID_ARGUMENT, [field])


async def test_only_an_admin_may_know(api: Api) -> None:
    """Any other role is told so."""
    _, secret = await api.token()
    refusal = await api.refused(api.replicas.ListReplicas, ListReplicasRequest(), token=secret)
    assert refusal.code is grpc.StatusCode.PERMISSION_DENIED
