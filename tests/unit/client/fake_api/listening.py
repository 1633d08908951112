"""The fake api, listening on a free port of 127.0.0.1."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2

from doorward.v1.app_service_pb2_grpc import add_AppServiceServicer_to_server
from doorward.v1.audit_service_pb2_grpc import add_AuditServiceServicer_to_server
from doorward.v1.replica_service_pb2_grpc import add_ReplicaServiceServicer_to_server
from doorward.v1.session_service_pb2_grpc import add_SessionServiceServicer_to_server
from doorward.v1.token_service_pb2_grpc import add_TokenServiceServicer_to_server
from tests.unit.client.fake_api.apps import Apps
from tests.unit.client.fake_api.others import Audit, Replicas, Sessions
from tests.unit.client.fake_api.state import Failure, Seen, State
from tests.unit.client.fake_api.tokens import Tokens


class FakeApi:
    """The fake, listening."""

    def __init__(
        self, *, credentials: grpc.ServerCredentials | None = None, address: str = "127.0.0.1:0"
    ) -> None:
        self.state = State()
        self._pool = ThreadPoolExecutor(max_workers=8)
        self._server = grpc.server(self._pool, options=[("grpc.so_reuseport", 0)])
        add_AppServiceServicer_to_server(Apps(self.state), self._server)
        add_TokenServiceServicer_to_server(Tokens(self.state), self._server)
        add_AuditServiceServicer_to_server(Audit(self.state), self._server)
        add_SessionServiceServicer_to_server(Sessions(self.state), self._server)
        add_ReplicaServiceServicer_to_server(Replicas(self.state), self._server)
        port = (
            self._server.add_secure_port(address, credentials)
            if credentials
            else self._server.add_insecure_port(address)
        )
        self.address = address if address.startswith("unix:") else f"127.0.0.1:{port}"
        self._server.start()

    def stop(self) -> None:
        """End every call, and the fake."""
        self._server.stop(grace=None).wait()
        self._pool.shutdown()

    def fail(
        self,
        rpc: str,
        code: grpc.StatusCode,
        message: str = "",
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        violations: Mapping[str, str] | None = None,
        retry_after: timedelta | None = None,
        times: int = 1,
    ) -> None:
        """Make the next *times* calls of *rpc* fail."""
        details: list[Message] = []
        if reason:
            details.append(
                error_details_pb2.ErrorInfo(reason=reason, domain="doorward.dev", metadata=metadata or {})
            )
        if violations:
            bad_request = error_details_pb2.BadRequest()
            for name, description in violations.items():
                bad_request.field_violations.add(field=name, description=description)
            details.append(bad_request)
        if retry_after is not None:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.FromTimedelta(retry_after)
            details.append(retry)
        failure = Failure(code=code, message=message, details=details)
        self.state.failures[rpc].extend([failure] * times)

    def seen(self, rpc: str) -> Seen:
        """Return the only call of *rpc*."""
        (call,) = self.state.seen[rpc]
        return call
