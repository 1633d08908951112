"""Errors as callers see them: a status, `ErrorInfo`, and what else helps (google.rpc, AIP-193)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from doorward.v1.error_reason_pb2 import ErrorReason
from doorward_server.domain.errors import InvalidFieldsError, Violation
from doorward_server.domain.quoting import quoted
from doorward_server.services.errors import (
    AppNotFoundError,
    AppStateConflictError,
    CredentialFault,
    EtagMismatchError,
    HashingQueueFullError,
    LastAdminTokenError,
    RequestIdReusedError,
    RoleTooLowError,
    ServiceError,
    SessionNotFoundError,
    SupersededSecretError,
    TokenNotFoundError,
    TooManySessionsError,
    UnauthenticatedError,
)
from doorward_server.services.ports import StorageUnavailableError
from doorward_server.services.runtime import RuntimeDisabledError

DOMAIN: Final = "doorward.dev"
"""The `domain` of every `ErrorInfo`."""

# Clients and proxies take at most 8 KiB of trailers, in which text is escaped and the status is in base64.
_MAX_MESSAGE: Final = 700
_MAX_VIOLATIONS: Final = 16
_MAX_VIOLATION_BYTES: Final = 2000


class NotOfferedError(Exception):
    """This server does not offer a method."""

    def __init__(self, method: str) -> None:
        super().__init__("this server does not offer the call")
        self.method = method


class UndecodableError(Exception):
    """The bytes of a request are none of its message."""

    def __init__(self) -> None:
        super().__init__("the request does not parse: check that client and server are of the same version")


class ServerStoppingError(Exception):
    """The server is told to stop, and ends what would stay open."""

    def __init__(self) -> None:
        super().__init__("the server is stopping: call again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error on its way to the caller."""

    code: grpc.StatusCode
    reason: ErrorReason.ValueType
    message: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    retry_after: timedelta | None = None
    challenge: str | None = None
    """What the caller must show (RFC 6750 §3)."""

    def status(self) -> grpc.Status:
        """The status with its details, as gRPC sends it."""
        details: list[Message] = [
            ErrorInfo(reason=ErrorReason.Name(self.reason), domain=DOMAIN, metadata=self.metadata)
        ]
        if self.violations:
            details.append(
                BadRequest(
                    field_violations=[
                        BadRequest.FieldViolation(field=each.field, description=each.description)
                        for each in _bounded(self.violations)
                    ]
                )
            )
        if self.retry_after is not None:
            delay = Duration()
            delay.FromTimedelta(self.retry_after)
            details.append(RetryInfo(retry_delay=delay))
        return rpc_status.to_status(
            Status(
                code=self.code.value[0],
                message=_shortened(self.message, _MAX_MESSAGE),
                details=[_packed(each) for each in details],
            )
        )


def failure_of(error: Exception, *, request_id: str) -> Failure | None:
    """How *error* is told to the caller; None when it is a defect of the server."""
    match error:
        case InvalidFieldsError():
            return _invalid(error.violations)
        case UndecodableError():
            return _invalid((Violation("", str(error)),))
        case UnauthenticatedError():
            reason, challenge = _CREDENTIAL_FAULTS[error.fault]
            return Failure(
                code=grpc.StatusCode.UNAUTHENTICATED, reason=reason, message=str(error), challenge=challenge
            )
        case ServiceError() if type(error) in _SERVICE_ERRORS:
            code, reason = _SERVICE_ERRORS[type(error)]
            return Failure(
                code=code,
                reason=reason,
                message=str(error),
                metadata=error.metadata,
                retry_after=error.retry_after
                if isinstance(error, HashingQueueFullError | TooManySessionsError)
                else None,
            )
        case RuntimeDisabledError():
            return Failure(
                code=grpc.StatusCode.FAILED_PRECONDITION,
                reason=ErrorReason.ERROR_REASON_RUNTIME_DISABLED,
                message=str(error),
                metadata={"source": error.source},
            )
        case StorageUnavailableError():
            # Its text is for the operator: it names the database.
            return Failure(
                code=grpc.StatusCode.UNAVAILABLE,
                reason=ErrorReason.ERROR_REASON_STORAGE_UNAVAILABLE,
                message=f"the database does not work right now: try again; request {request_id}",
            )
        case NotOfferedError():
            return Failure(
                code=grpc.StatusCode.UNIMPLEMENTED,
                reason=ErrorReason.ERROR_REASON_NOT_IMPLEMENTED,
                message=str(error),
                metadata={"method": quoted(error.method)[1:-1]},
            )
        case ServerStoppingError():
            return Failure(
                code=grpc.StatusCode.UNAVAILABLE,
                reason=ErrorReason.ERROR_REASON_SERVER_STOPPING,
                message=str(error),
            )
        case _:
            return None


def defect(*, request_id: str) -> Failure:
    """What a caller learns of a defect of the server: the id to ask its operator about."""
    return Failure(
        code=grpc.StatusCode.INTERNAL,
        reason=ErrorReason.ERROR_REASON_INTERNAL,
        message=f"internal error; the server's log says more of request {request_id}",
        metadata={"request_id": request_id},
    )


_CHALLENGE: Final = 'Bearer realm="doorward"'

_CREDENTIAL_FAULTS: Final = MappingProxyType(
    {
        CredentialFault.MISSING: (ErrorReason.ERROR_REASON_CREDENTIAL_MISSING, _CHALLENGE),
        CredentialFault.MALFORMED: (
            ErrorReason.ERROR_REASON_CREDENTIAL_MALFORMED,
            f'{_CHALLENGE}, error="invalid_request"',
        ),
        CredentialFault.INVALID: (
            ErrorReason.ERROR_REASON_CREDENTIAL_INVALID,
            f'{_CHALLENGE}, error="invalid_token"',
        ),
    }
)

_SERVICE_ERRORS: Final[Mapping[type[ServiceError], tuple[grpc.StatusCode, ErrorReason.ValueType]]] = (
    MappingProxyType(
        {
            RoleTooLowError: (
                grpc.StatusCode.PERMISSION_DENIED,
                ErrorReason.ERROR_REASON_ROLE_TOO_LOW,
            ),
            AppNotFoundError: (grpc.StatusCode.NOT_FOUND, ErrorReason.ERROR_REASON_APP_NOT_FOUND),
            TokenNotFoundError: (grpc.StatusCode.NOT_FOUND, ErrorReason.ERROR_REASON_TOKEN_NOT_FOUND),
            SessionNotFoundError: (grpc.StatusCode.NOT_FOUND, ErrorReason.ERROR_REASON_SESSION_NOT_FOUND),
            SupersededSecretError: (
                grpc.StatusCode.FAILED_PRECONDITION,
                ErrorReason.ERROR_REASON_SECRET_SUPERSEDED,
            ),
            TooManySessionsError: (
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                ErrorReason.ERROR_REASON_TOO_MANY_SESSIONS,
            ),
            EtagMismatchError: (grpc.StatusCode.ABORTED, ErrorReason.ERROR_REASON_ETAG_MISMATCH),
            RequestIdReusedError: (
                grpc.StatusCode.ALREADY_EXISTS,
                ErrorReason.ERROR_REASON_REQUEST_ID_REUSED,
            ),
            AppStateConflictError: (
                grpc.StatusCode.FAILED_PRECONDITION,
                ErrorReason.ERROR_REASON_APP_STATE_CONFLICT,
            ),
            LastAdminTokenError: (
                grpc.StatusCode.FAILED_PRECONDITION,
                ErrorReason.ERROR_REASON_LAST_ADMIN_TOKEN,
            ),
            HashingQueueFullError: (
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                ErrorReason.ERROR_REASON_HASHING_QUEUE_FULL,
            ),
        }
    )
)


def _invalid(violations: tuple[Violation, ...]) -> Failure:
    first = violations[0]
    message = f"{first.field}: {first.description}" if first.field else first.description
    if len(violations) > 1:
        message = f"{_shortened(message, _MAX_MESSAGE - 20)} (and {len(violations) - 1} more)"
    return Failure(
        code=grpc.StatusCode.INVALID_ARGUMENT,
        reason=ErrorReason.ERROR_REASON_INVALID_FIELD,
        message=message,
        metadata={"field": first.field},
        violations=violations,
    )


def _bounded(violations: tuple[Violation, ...]) -> tuple[Violation, ...]:
    """As many violations as fit into the trailers, each with an equal share."""
    shown = violations[:_MAX_VIOLATIONS]
    share = _MAX_VIOLATION_BYTES // len(shown)
    return tuple(Violation(each.field, _shortened(each.description, share)) for each in shown)


def _shortened(text: str, limit: int) -> str:
    """*text* in at most *limit* bytes of UTF-8."""
    raw = text.encode()
    return text if len(raw) <= limit else raw[: limit - 3].decode(errors="ignore") + "..."


def _packed(message: Message) -> Any:
    packed = Any()
    packed.Pack(message)
    return packed
