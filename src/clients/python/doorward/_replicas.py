"""The check replicas: what `client.replicas` offers."""

from doorward._described import call, whole
from doorward._operations import Awaiting, Blocking, Listing, Operation, Part, listing
from doorward._timeouts import Timeout
from doorward.v1.replica_service_pb2 import ListReplicasRequest, ListReplicasResponse, Replica
from doorward.v1.replica_service_pb2_grpc import ReplicaServiceStub


class ReplicaMethods(Part):
    """How current each check replica is. Needs ADMIN."""

    @listing
    def list(self, *, page_size: int = 0, timeout: Timeout = None) -> Listing[Replica, ListReplicasResponse]:
        """Return the replicas that are connected or may still decide, in the order of their ids.

        Each of `pages()` also says the newest revision of the policy and its lease. *timeout* is for each
        page.
        """

        def page(page_token: str) -> Operation[ListReplicasResponse]:
            request = ListReplicasRequest(page_size=page_size, page_token=page_token)
            stub = self._calls.stub(ReplicaServiceStub)
            return call(stub.ListReplicas, request, timeout, answer=whole)

        return Listing(page=page, items=lambda page: page.replicas)


class Replicas(Blocking, ReplicaMethods):
    __doc__ = ReplicaMethods.__doc__


class AsyncReplicas(Awaiting, ReplicaMethods):
    __doc__ = ReplicaMethods.__doc__
