"""Doorward: scoped tokens to AI apps that run behind Envoy.

    with doorward.Client("127.0.0.1:8081", token=token) as client:
        spec = doorward.process(["./hello", "--port={port}"])
        app = client.apps.create("hello", region="GRA", labels={"group": "A"}, spec=spec)
        client.apps.wait(app.app_id)
        issued = client.tokens.create("ci", role="read-only", region="GRA", selector="group=A")

Answers are the messages of the API, `doorward.v1`; those that are met most have their names here too.
"""

from doorward._async_calls import AsyncStream
from doorward._async_client import AsyncClient
from doorward._calls import Stream
from doorward._channel import TLS
from doorward._client import Client
from doorward._exceptions import (
    AppGaveUp,
    Cancelled,
    ConfigurationError,
    Conflict,
    DeadlineExceeded,
    DoorwardError,
    ErrorDetails,
    FailedPrecondition,
    FieldViolation,
    Internal,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    SecretLost,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)
from doorward._pages import AsyncPages, Pages
from doorward._sessions import NewSession
from doorward._specs import external, process, readiness
from doorward._tokens import IssuedToken
from doorward.v1.app_pb2 import Access, App, AppSpec, AppState, AppStatus
from doorward.v1.audit_service_pb2 import AuditEvent
from doorward.v1.error_reason_pb2 import ErrorReason
from doorward.v1.policy_update_pb2 import Enforcement, PolicyUpdate
from doorward.v1.replica_service_pb2 import Replica, ReplicaState
from doorward.v1.role_pb2 import Role
from doorward.v1.token_pb2 import Token

__all__ = [
    "TLS",
    "Access",
    "App",
    "AppGaveUp",
    "AppSpec",
    "AppState",
    "AppStatus",
    "AsyncClient",
    "AsyncPages",
    "AsyncStream",
    "AuditEvent",
    "Cancelled",
    "Client",
    "ConfigurationError",
    "Conflict",
    "DeadlineExceeded",
    "DoorwardError",
    "Enforcement",
    "ErrorDetails",
    "ErrorReason",
    "FailedPrecondition",
    "FieldViolation",
    "Internal",
    "InvalidArgument",
    "IssuedToken",
    "NewSession",
    "NotFound",
    "Pages",
    "PermissionDenied",
    "PolicyUpdate",
    "Replica",
    "ReplicaState",
    "ResourceExhausted",
    "Role",
    "SecretLost",
    "Stream",
    "Token",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "external",
    "process",
    "readiness",
]
