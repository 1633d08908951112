"""Replicas, as they are answered."""

from doorward.v1 import replica_service_pb2
from doorward_server.rpc.conversion.enums import REPLICA_STATES
from doorward_server.rpc.conversion.times import duration, optional_timestamp
from doorward_server.services.replica_service import Replica


def replica_message(replica: Replica) -> replica_service_pb2.Replica:
    """One replica."""
    remaining = replica.lease_remaining
    return replica_service_pb2.Replica(
        replica_id=replica.identity.replica_id,
        display_name=replica.identity.display_name,
        region=replica.identity.region or "",
        state=REPLICA_STATES.message(replica.state),
        applied_revision=replica.applied,
        lag_revisions=replica.lag_revisions,
        lag=duration(replica.lag),
        lease_remaining=None if remaining is None else duration(remaining),
        connect_time=optional_timestamp(replica.connect_time),
        last_heard_time=optional_timestamp(replica.last_heard_time),
    )
