"""What the fake api keeps, what it is told to do, and what it has seen."""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from doorward.v1 import app_service_pb2 as apps_pb2
from doorward.v1 import audit_service_pb2 as audit_pb2
from doorward.v1 import replica_service_pb2 as replicas_pb2
from doorward.v1.app_pb2 import App, AppStatus
from doorward.v1.policy_update_pb2 import Enforcement, PolicyUpdate
from doorward.v1.token_pb2 import Token
from tests.unit.client.fake_api.values import until_ended

REQUEST_ID = "7b0c7bfa-5f0f-4b58-9f5e-2f3d1a8c4e11"
"""The id that the fake answers for every request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One call as it arrived."""

    request: Message
    metadata: Mapping[str, str | bytes]
    seconds_left: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How a call is to end."""

    code: grpc.StatusCode
    message: str
    details: Sequence[Message] = ()


@dataclass(slots=True)
class State:
    """What the fake keeps, and what it is told to do."""

    apps: dict[str, App] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    events: list[audit_pb2.AuditEvent] = field(default_factory=list)
    replicas: list[replicas_pb2.Replica] = field(default_factory=list)
    lease: timedelta = timedelta(seconds=30)
    lines: list[apps_pb2.ReadAppLogsResponse] = field(default_factory=list)
    statuses: list[AppStatus] = field(default_factory=list)
    created: dict[str, str] = field(default_factory=dict)
    revision: int = 0
    held: set[str] = field(default_factory=set)
    """RPCs that are not answered until their call ends."""
    failures: defaultdict[str, deque[Failure]] = field(default_factory=lambda: defaultdict(deque))
    seen: defaultdict[str, list[Seen]] = field(default_factory=lambda: defaultdict(list))

    def arrive(self, rpc: str, request: Message, context: grpc.ServicerContext) -> None:
        """Note a call, and end it when it is to fail."""
        left = context.time_remaining()
        self.seen[rpc].append(
            Seen(
                request=request,
                metadata=dict(context.invocation_metadata()),
                seconds_left=None if left > 1e6 else left,
            )
        )
        context.send_initial_metadata((("doorward-request-id", REQUEST_ID),))
        if rpc in self.held:
            until_ended(context)
        if self.failures[rpc]:
            failure = self.failures[rpc].popleft()
            details = [AnyMessage() for _ in failure.details]
            for packed, detail in zip(details, failure.details, strict=True):
                packed.Pack(detail)
            status = status_pb2.Status(code=failure.code.value[0], message=failure.message, details=details)
            context.abort_with_status(rpc_status.to_status(status))

    def narrowed(self) -> PolicyUpdate:
        """Return the place of a change that has reached everyone."""
        self.revision += 1
        return PolicyUpdate(revision=self.revision, enforcement=Enforcement.ENFORCEMENT_EVERYWHERE)


def changed() -> status_pb2.Status:
    """Return the status of a call with the etag of what was before."""
    info = AnyMessage()
    info.Pack(error_details_pb2.ErrorInfo(reason="ERROR_REASON_ETAG_MISMATCH", domain="doorward.dev"))
    return status_pb2.Status(code=10, message="it has changed since", details=[info])


def not_found(reason: str, **metadata: str) -> status_pb2.Status:
    """Return the status of something that is not there."""
    info = AnyMessage()
    info.Pack(
        error_details_pb2.ErrorInfo(reason=f"ERROR_REASON_{reason}", domain="doorward.dev", metadata=metadata)
    )
    return status_pb2.Status(code=5, message=f"not found: {metadata}", details=[info])
