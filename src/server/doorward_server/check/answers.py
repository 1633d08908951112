"""Decisions as CheckResponses, encoded.

An answer is made once for each pair of a token and an app, and kept. It holds for as long as both entries are
equal to those that it was made of.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption
from envoy.service.auth.v3.external_auth_pb2 import CheckResponse, DeniedHttpResponse, OkHttpResponse
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.wrappers_pb2 import BoolValue
from google.rpc.code_pb2 import PERMISSION_DENIED
from google.rpc.status_pb2 import Status

from doorward_server.check.bounded import Bounded
from doorward_server.check.denials import DENIALS, UNREADABLE, Denial, Form
from doorward_server.domain.decision import Decision, Reason
from doorward_server.domain.policy import PolicyApp, PolicyToken

LOGIN_PATH: Final = "/.doorward/login"
"""Where a browser without a token is sent, on the app's own host."""

_KEPT: Final = 50_000
_NEXT_LENGTH: Final = 2048
_UNREADABLE_REASON: Final = "UNREADABLE_REQUEST"

_Key = tuple[Reason, str | None, str | None, tuple[str, ...], Form]


class Answers:
    """Encodes decisions, each kind once. For one thread."""

    def __init__(self) -> None:
        self._kept: Bounded[_Key, tuple[PolicyApp | None, PolicyToken | None, bytes]] = Bounded(_KEPT)

    def encode(self, decision: Decision, *, remove: tuple[str, ...], form: Form) -> bytes:
        """The answer to a request whose headers *remove* must not reach the app."""
        app, token = decision.app, decision.token
        key = (
            decision.reason,
            None if app is None else app.app_id,
            None if token is None else token.token_id,
            remove,
            form,
        )
        kept = self._kept.get(key)
        if kept is not None and kept[0] == app and kept[1] == token:
            return kept[2]
        encoded = _encode(decision, remove, form)
        self._kept[key] = (app, token, encoded)
        return encoded


def to_login(decision: Decision, target: str) -> bytes:
    """The answer that sends a browser to the login page, and from there back to *target*: path and query."""
    back = quote(target, safe="")
    location = f"{LOGIN_PATH}?next={back}" if len(back) <= _NEXT_LENGTH else LOGIN_PATH
    headers = {"location": location, "cache-control": "no-store"}
    return _denied(303, headers, "", _facts(decision))


def with_cookie(answer: bytes, set_cookie: str) -> bytes:
    """The answer of an allow that also gives the client a cookie, beside those of the app."""
    header = HeaderValueOption(
        header=HeaderValue(key="set-cookie", value=set_cookie),
        append_action=HeaderValueOption.APPEND_IF_EXISTS_OR_ADD,
    )
    # Two messages one behind the other are one, with the headers of both.
    return answer + _bytes(CheckResponse(ok_response=OkHttpResponse(response_headers_to_add=[header])))


def unreadable() -> bytes:
    """The answer to what is no CheckRequest, or not one of an HTTP request."""
    facts = {"reason": _UNREADABLE_REASON}
    return _denial(UNREADABLE, Form.PROBLEM, facts)


def _encode(decision: Decision, remove: tuple[str, ...], form: Form) -> bytes:
    facts = _facts(decision)
    if not decision.allowed:
        return _denial(DENIALS[decision.reason], form, facts)
    app, token = decision.app, decision.token
    if app is None or app.upstream is None:
        raise ValueError(f"{decision.reason} without an app to reach")
    host, port = app.upstream.host, app.upstream.port
    # Without brackets, Envoy takes an IPv6 address for a name and looks it up.
    facts |= {"upstream_host": f"[{host}]" if ":" in host else host, "upstream_port": str(port)}
    identity = {"x-doorward-app-id": str(app.app_id)}
    if token is not None:
        identity |= {"x-doorward-token-id": token.token_id, "x-doorward-role": token.role.name}
    response = CheckResponse(
        status=Status(),
        ok_response=OkHttpResponse(headers=_options(identity), headers_to_remove=remove),
        dynamic_metadata=_metadata(facts),
    )
    return _bytes(response)


def _denial(denial: Denial, form: Form, facts: Mapping[str, str]) -> bytes:
    return _denied(denial.status.value, denial.all_headers(form), denial.body(form), facts)


def _denied(status: int, headers: Mapping[str, str], body: str, facts: Mapping[str, str]) -> bytes:
    return _bytes(
        CheckResponse(
            status=Status(code=PERMISSION_DENIED),
            denied_response=DeniedHttpResponse(status={"code": status}, headers=_options(headers), body=body),
            dynamic_metadata=_metadata(facts),
        )
    )


def _facts(decision: Decision) -> dict[str, str]:
    """What Envoy's access log says of the request."""
    facts = {"reason": decision.reason.name}
    if (app := decision.app) is not None:
        facts |= {"app_id": app.app_id, "region": app.region}
    if (token := decision.token) is not None:
        facts |= {"token_id": token.token_id, "role": token.role.name}
    return facts


def _options(headers: Mapping[str, str]) -> list[HeaderValueOption]:
    # Set, never added to. Versions of Envoy differ in which of the two they read.
    return [
        HeaderValueOption(
            header=HeaderValue(key=key, value=value),
            append=BoolValue(value=False),
            append_action=HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
        )
        for key, value in headers.items()
    ]


def _metadata(facts: Mapping[str, str]) -> Struct:
    return Struct(fields={key: Value(string_value=value) for key, value in facts.items()})


def _bytes(response: CheckResponse) -> bytes:
    encoded: bytes = response.SerializeToString(deterministic=True)
    return encoded
