"""From gRPC's errors to the client's own. Shared by every kind of client: it looks at values alone."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Protocol, cast

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from doorward._exceptions import (
    Cancelled,
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
    Unauthenticated,
    Unavailable,
    Unimplemented,
)

REQUEST_ID_KEY = "doorward-request-id"
"""The metadata in which the server answers the id of a request."""

ERRORS: dict[grpc.StatusCode, type[DoorwardError]] = {
    grpc.StatusCode.ABORTED: Conflict,
    grpc.StatusCode.ALREADY_EXISTS: Conflict,
    grpc.StatusCode.CANCELLED: Cancelled,
    grpc.StatusCode.DATA_LOSS: Internal,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.INTERNAL: Internal,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.OUT_OF_RANGE: InvalidArgument,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhausted,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.UNIMPLEMENTED: Unimplemented,
    grpc.StatusCode.UNKNOWN: Internal,
}
"""The error of each status code that is one."""


class FailedCall(Protocol):
    """What gRPC's errors have in common, blocking or not; its base class promises none of it."""

    def code(self) -> grpc.StatusCode: ...
    def details(self) -> str | None: ...
    def initial_metadata(self) -> Iterable[tuple[str, str | bytes]] | None: ...
    def trailing_metadata(self) -> Iterable[tuple[str, str | bytes]] | None: ...


def from_rpc_error(error: grpc.RpcError, *, address: str) -> DoorwardError:
    """Return the error of a failed call to the api at *address*."""
    call = cast("FailedCall", error)
    code = call.code()
    details = _details(call)
    message = one_line("; ".join(f"{v.field}: {v.description}" for v in details.field_violations))
    if not message:
        text = one_line(call.details() or "")
        message = text if details.reason else _of_the_transport(code, text, address)
    return ERRORS.get(code, Internal)(message, code=code, details=details)


def one_line(text: str) -> str:
    """Return *text* as `printable` does, without the space around it."""
    return printable(text.strip())


def printable(text: str) -> str:
    """Return *text* on one line, with all that could move a terminal's cursor or turn its text escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _of_the_transport(code: grpc.StatusCode, text: str, address: str) -> str:
    """Return the text of an error that the api did not send itself: it must say what was not reached."""
    match code:
        case grpc.StatusCode.UNAVAILABLE:
            # What a plain connection hears of a server that waits for a TLS handshake.
            tls = text.startswith("failed to connect") and text.endswith("Socket closed")
            hint = (
                "; if it serves TLS, set DOORWARD_CA_FILE to the authority of its certificate" if tls else ""
            )
            return f"the api at {address} cannot be reached: {text}{hint}"
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"the api at {address} did not answer in time"
        case _:
            return text or f"the api at {address} answered {code.name} and no reason"


def _details(call: FailedCall) -> ErrorDetails:
    """Return what the server said besides the code; a proxy on the way may have said nothing."""
    info = error_details_pb2.ErrorInfo()
    bad_request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    said = set()
    for detail in _status(call).details:
        for message in (info, bad_request, retry):
            if detail.TypeName() == message.DESCRIPTOR.full_name:
                with suppress(DecodeError):
                    message.MergeFromString(detail.value)
                    said.add(detail.TypeName())
    return ErrorDetails(
        reason=info.reason,
        metadata=dict(info.metadata),
        field_violations=tuple(
            FieldViolation(field=v.field, description=v.description) for v in bad_request.field_violations
        ),
        request_id=_request_id(call),
        retry_after=_timedelta(retry.retry_delay) if retry.DESCRIPTOR.full_name in said else None,
    )


def _status(call: FailedCall) -> status_pb2.Status:
    """Return the rich status of a call; one that contradicts the call's own status is not trusted."""
    try:
        return rpc_status.from_call(cast("grpc.Call", call)) or status_pb2.Status()
    except (ValueError, DecodeError):
        return status_pb2.Status()


def _request_id(call: FailedCall) -> str:
    """Return the request's id, from the headers or the trailers of the answer."""
    both = (*(call.initial_metadata() or ()), *(call.trailing_metadata() or ()))
    return next((one_line(str(value)) for key, value in both if key == REQUEST_ID_KEY), "")


def _timedelta(delay: Duration) -> timedelta | None:
    """Return the delay that the server asks for, or None for one that no clock can hold."""
    try:
        return delay.ToTimedelta()
    except (OverflowError, ValueError):
        return None
