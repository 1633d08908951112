"""`doorward status`."""

import click

from doorward.cli._examples import examples
from doorward.cli._exit_codes import FAILED, OK
from doorward.cli._fields import REPLICA_COLUMNS, fleet_fields
from doorward.cli._output import as_json, print_data, print_fields, print_items
from doorward.cli._report import fail
from doorward.cli._session import Session, pass_session, session_options
from doorward.v1.replica_service_pb2 import ListReplicasResponse, ReplicaState

_CONNECTED = frozenset(
    {
        ReplicaState.REPLICA_STATE_CURRENT,
        ReplicaState.REPLICA_STATE_BEHIND,
        ReplicaState.REPLICA_STATE_LAGGING,
    }
)


@click.command(epilog=examples("doorward status", "doorward status -o json || echo a replica is missing"))
@session_options()
@pass_session
def status(session: Session) -> int:
    """Show the check replicas and how current each is.

    That is: which revision of the policy it has, what it lacks, and how long it may still decide.
    Fails when no replica is connected, or when one has lacked a revision for longer than the policy lease.
    """
    fleet = ListReplicasResponse()
    with session.client() as client:
        for page in client.replicas.list(page_size=1000).pages():
            fleet.replicas.extend(page.replicas)
            fleet.policy_revision = page.policy_revision
            fleet.policy_lease.CopyFrom(page.policy_lease)
    if session.output == "table":
        print_fields(fleet_fields(fleet))
        if fleet.replicas:
            click.echo()
            print_items(fleet.replicas, REPLICA_COLUMNS, session.output, nothing="")
    else:
        data = as_json(fleet)
        del data["nextPageToken"]
        print_data(data, session.output)
    faults = _faults(fleet)
    for fault in faults:
        fail(fault, FAILED)
    return FAILED if faults else OK


def _faults(fleet: ListReplicasResponse) -> list[str]:
    """What is wrong, one line each."""
    faults = [
        f"replica {replica.replica_id} lags: it has lacked a revision for {replica.lag.ToSeconds()} s"
        for replica in fleet.replicas
        if replica.state == ReplicaState.REPLICA_STATE_LAGGING
    ]
    if not any(replica.state in _CONNECTED for replica in fleet.replicas):
        faults.insert(
            0, "no replica is connected: once its lease has run out, every app is closed to everybody"
        )
    return faults
