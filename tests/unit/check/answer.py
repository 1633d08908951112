"""CheckResponses as a test reads them."""

from collections.abc import Mapping
from dataclasses import dataclass

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from google.rpc.code_pb2 import OK, PERMISSION_DENIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What Envoy is told."""

    status: int
    """What the client gets; 200 when the request goes to the app, which answers itself."""
    headers: Mapping[str, str]
    """Those of the denial; those that the app gets when the request goes there."""
    removed: tuple[str, ...] = ()
    body: str = ""
    facts: Mapping[str, str]
    """The dynamic metadata: for the access log, and where the request goes."""


def read_answer(payload: bytes) -> Answer:
    """Read a serialized CheckResponse, which says one thing only."""
    response = CheckResponse.FromString(payload)
    facts = {name: value.string_value for name, value in response.dynamic_metadata.fields.items()}
    match response.WhichOneof("http_response"):
        case "ok_response":
            assert response.status.code == OK
            allowed = response.ok_response
            headers = {each.header.key: each.header.value for each in allowed.headers}
            return Answer(status=200, headers=headers, removed=tuple(allowed.headers_to_remove), facts=facts)
        case "denied_response":
            assert response.status.code == PERMISSION_DENIED
            denied = response.denied_response
            headers = {each.header.key: each.header.value for each in denied.headers}
            assert len(headers) == len(denied.headers)
            return Answer(status=denied.status.code, headers=headers, body=denied.body, facts=facts)
        case other:
            raise AssertionError(f"neither allowed nor denied: {other}")
