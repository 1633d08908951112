"""What api answers in place of what was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status

_REQUEST_ID: Final = "doorward-request-id"


@dataclass(eq=False, kw_only=True)
class ApiError(Exception):
    """A call that api did not do. Its texts are fit for the visitor."""

    code: grpc.StatusCode
    text: str
    reason: str = ""
    """Such as `ETAG_MISMATCH`; empty when the answer is not api's own."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with which field of the request."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""
    """What the call is called in api's log."""


def api_error(error: grpc.aio.AioRpcError) -> ApiError:
    """The error of a failed call."""
    info, bad_request = ErrorInfo(), BadRequest()
    try:
        # It asks for no more than the error has.
        status = rpc_status.from_call(cast("grpc.Call", error))
        for detail in () if status is None else status.details:
            detail.Unpack(info)
            detail.Unpack(bad_request)
    except (ValueError, DecodeError):
        # A proxy's word, and not api's.
        info, bad_request = ErrorInfo(), BadRequest()
    ids = [value for key, value in error.trailing_metadata() if key == _REQUEST_ID]
    return ApiError(
        code=error.code(),
        text=error.details() or "",
        reason=info.reason.removeprefix("ERROR_REASON_"),
        fields={each.field: each.description for each in bad_request.field_violations},
        metadata=dict(info.metadata),
        request_id=str(ids[0]) if ids else "",
    )
