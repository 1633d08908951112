"""The check replicas: what `client.replicas` offers."""

from doorward._calls import Calls
from doorward._pages import Pages
from doorward._timeouts import Timeout
from doorward.v1.replica_service_pb2 import ListReplicasRequest, ListReplicasResponse, Replica
from doorward.v1.replica_service_pb2_grpc import ReplicaServiceStub


class Replicas:
    """How current each check replica is. Needs ADMIN."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stub = ReplicaServiceStub(calls.channel)

    def list(self, *, page_size: int = 0, timeout: Timeout = None) -> Pages[Replica, ListReplicasResponse]:
        """Return the replicas that are connected or may still decide, in the order of their ids.

        Each of `pages()` also says the newest revision of the policy and its lease. *timeout* is for each
        page.
        """

        def fetch(page_token: str) -> ListReplicasResponse:
            request = ListReplicasRequest(page_size=page_size, page_token=page_token)
            return self._calls.unary(self._stub.ListReplicas, request, timeout)

        return Pages(fetch, lambda page: page.replicas)
