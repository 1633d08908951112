"""The small services of the fake api: audit, sessions, replicas."""

import uuid
from typing import Any

from doorward._conversions import duration
from doorward.v1 import audit_service_pb2 as audit_pb2
from doorward.v1 import replica_service_pb2 as replicas_pb2
from doorward.v1 import session_service_pb2 as sessions_pb2
from doorward.v1.audit_service_pb2_grpc import AuditServiceServicer
from doorward.v1.policy_update_pb2 import Enforcement, PolicyUpdate
from doorward.v1.replica_service_pb2_grpc import ReplicaServiceServicer
from doorward.v1.session_service_pb2_grpc import SessionServiceServicer
from tests.unit.client.fake_api.state import State
from tests.unit.client.fake_api.values import ADMIN_ID, page


class Audit(AuditServiceServicer):
    """AuditService."""

    def __init__(self, state: State) -> None:
        self.state = state

    def ListAuditEvents(self, request: Any, context: Any) -> Any:
        self.state.arrive("ListAuditEvents", request, context)
        events, token = page(self.state.events, request.page_size, request.page_token)
        return audit_pb2.ListAuditEventsResponse(audit_events=events, next_page_token=token)


class Sessions(SessionServiceServicer):
    """SessionService."""

    def __init__(self, state: State) -> None:
        self.state = state

    def CreateSession(self, request: Any, context: Any) -> Any:
        self.state.arrive("CreateSession", request, context)
        session = sessions_pb2.Session(session_id=str(uuid.uuid4()), host=request.host, token_id=ADMIN_ID)
        return sessions_pb2.CreateSessionResponse(session=session, credential="1.sealed")

    def DeleteSession(self, request: Any, context: Any) -> Any:
        self.state.arrive("DeleteSession", request, context)
        update = PolicyUpdate(revision=7, enforcement=Enforcement.ENFORCEMENT_EVERYWHERE)
        return sessions_pb2.DeleteSessionResponse(policy_update=update)


class Replicas(ReplicaServiceServicer):
    """ReplicaService."""

    def __init__(self, state: State) -> None:
        self.state = state

    def ListReplicas(self, request: Any, context: Any) -> Any:
        self.state.arrive("ListReplicas", request, context)
        # Two a page at most, so that callers who look at one page alone are found out.
        replicas, token = page(self.state.replicas, 2, request.page_token)
        return replicas_pb2.ListReplicasResponse(
            replicas=replicas,
            next_page_token=token,
            policy_revision=self.state.revision,
            policy_lease=duration(self.state.lease),
        )
