"""ReplicaService over gRPC."""

from doorward.v1 import replica_service_pb2 as pb
from doorward.v1 import replica_service_pb2_grpc
from doorward_server.rpc.calls import Context
from doorward_server.rpc.conversion.pages import fetch_page
from doorward_server.rpc.conversion.replicas import replica_message
from doorward_server.rpc.conversion.times import duration
from doorward_server.services.replica_service import ReplicaService


class ReplicaServicer(replica_service_pb2_grpc.ReplicaServiceServicer):
    """Translates between the wire and `services.replica_service.ReplicaService`."""

    def __init__(self, *, replicas: ReplicaService) -> None:
        self._replicas = replicas

    async def ListReplicas(
        self, request: pb.ListReplicasRequest, _context: Context
    ) -> pb.ListReplicasResponse:
        replicas, next_page_token = await fetch_page(
            self._replicas.list, replica_message, size=request.page_size, token=request.page_token
        )
        fleet = self._replicas.fleet()
        return pb.ListReplicasResponse(
            replicas=replicas,
            next_page_token=next_page_token,
            policy_revision=fleet.revision,
            policy_lease=duration(fleet.lease),
        )
