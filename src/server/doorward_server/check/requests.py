"""Requests, from the CheckRequests in which Envoy describes them."""

from collections.abc import Iterator
from dataclasses import dataclass

from envoy.config.core.v3.base_pb2 import HeaderMap
from google.protobuf.message import DecodeError

from doorward_server.check.denials import Form
from doorward_server.domain.cookies import read_cookies
from doorward_server.domain.decision import Request
from doorward_server.domain.ids import AppId
from doorward_server.domain.origins import is_foreign
from doorward_server.domain.presented import AUTHORIZATION, DOORWARD_TOKEN, Malformed, find_credential
from doorward_server.extauthz.v1 import check_request_pb2

_ORIGIN = "origin"
_REQUESTED_METHOD = "access-control-request-method"
_MODE = "sec-fetch-mode"
_SITE = "sec-fetch-site"
_ACCEPT = "accept"
_COOKIE = "cookie"
_UPGRADE = "upgrade"
_SEEN = frozenset(
    {AUTHORIZATION, DOORWARD_TOKEN, _COOKIE, _ORIGIN, _REQUESTED_METHOD, _MODE, _SITE, _ACCEPT, _UPGRADE}
)


class UnreadableRequestError(Exception):
    """The bytes are no CheckRequest, or not one of an HTTP request."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What a CheckRequest says."""

    decided_by: Request
    remove: tuple[str, ...]
    """The headers that must not reach the app."""
    form: Form
    """What the client wants to be told in."""
    opens_websocket: bool
    """Whether what follows goes over a WebSocket, of which nobody is asked again."""


def parse_request(payload: bytes) -> check_request_pb2.Attributes:
    """Parse a serialized CheckRequest; raises `UnreadableRequestError`."""
    try:
        return check_request_pb2.CheckRequest.FromString(payload).attributes
    except DecodeError:
        raise UnreadableRequestError from None


def read_request(attributes: check_request_pb2.Attributes) -> HttpRequest:
    """Read what a decision and its answer depend on; raises `UnreadableRequestError`."""
    http = attributes.request.http
    method = http.method
    if not method:
        raise UnreadableRequestError
    headers: dict[str, list[bytes]] = {name: [] for name in _SEEN}
    for name, value in _headers(http):
        if name in _SEEN:
            headers[name].append(value)
    presented = find_credential(headers[AUTHORIZATION], headers[DOORWARD_TOKEN])
    # A route that names an app means it, whatever the host, and also when the name is wrong.
    route = attributes.context_extensions
    return HttpRequest(
        Request(
            host=http.host,
            path=http.path,
            secret=presented.secret,
            session=_session(http, headers) if headers[_COOKIE] else None,
            app_id=AppId(route["app_id"].lower()) if "app_id" in route else None,
            cors_preflight=bool(method == "OPTIONS" and headers[_ORIGIN] and headers[_REQUESTED_METHOD]),
        ),
        presented.headers,
        Form.PAGE if _navigates(method, headers) else Form.PROBLEM,
        [value.lower() for value in headers[_UPGRADE]] == [b"websocket"],
    )


def _headers(http: check_request_pb2.HttpRequest) -> Iterator[tuple[str, bytes]]:
    """Each header as often as it was sent; from an Envoy without `encode_raw_headers`, joined by commas."""
    if http.header_map:
        try:
            headers = HeaderMap.FromString(b"".join(http.header_map)).headers
        except DecodeError:
            raise UnreadableRequestError from None
        for header in headers:
            yield header.key.lower(), header.raw_value or header.value.encode()
        return
    for name, value in http.headers.items():
        yield name.lower(), value.encode()


def _session(
    http: check_request_pb2.HttpRequest, headers: dict[str, list[bytes]]
) -> bytes | Malformed | None:
    """The session in our cookie. A browser sends it whoever asks; it counts for the app's own pages."""
    session = read_cookies(headers[_COOKIE]).session
    if session is None or is_foreign(
        http.method, http.host, site=headers[_SITE], mode=headers[_MODE], origin=headers[_ORIGIN]
    ):
        return None
    return session


def _navigates(method: str, headers: dict[str, list[bytes]]) -> bool:
    """Whether a browser goes to an address, for a person to see what comes back."""
    if method not in {"GET", "HEAD"}:
        return False
    if headers[_MODE]:
        return headers[_MODE] == [b"navigate"]
    return any(b"text/html" in value.lower() for value in headers[_ACCEPT])
