"""What is read of the requests in which Envoy asks."""

from collections.abc import Sequence
from typing import Any

import pytest
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.check.denials import Form
from doorward_server.check.requests import (
    HttpRequest,
    UnreadableRequestError,
    parse_request,
    read_request,
)
from doorward_server.domain.credentials import Secret, mint_secret, mint_token_id
from doorward_server.domain.presented import Malformed
from tests.unit.check.check_requests import check_request

SECRET = mint_secret(mint_token_id())
BEARER = b"Bearer " + SECRET.encode()
HOST = "app.example:8080"


def read(**request: Any) -> HttpRequest:
    """A request to some host, read."""
    return read_request(parse_request(check_request(**{"host": HOST, **request})))


def test_host_and_path_are_taken_as_they_are() -> None:
    """Query, port and case are left for the decision to understand."""
    request = read(host="APP.example:8080", path="/A//b?c=%2F").decided_by
    assert (request.host, request.path) == ("APP.example:8080", "/A//b?c=%2F")
    assert request.app_id is None


def test_the_app_of_the_route_is_taken_from_the_context() -> None:
    """In lower case, as ids are kept; an empty one is there all the same, and nobody's."""
    assert read(app_id="ABC-1").decided_by.app_id == "abc-1"
    assert read(app_id="").decided_by.app_id == ""


@pytest.mark.parametrize(
    ("headers", "secret", "removed"),
    [
        ([], None, ()),
        ([("authorization", BEARER)], SECRET, ("authorization",)),
        ([("Authorization", BEARER)], SECRET, ("authorization",)),
        ([("doorward-token", SECRET.encode())], SECRET, ("doorward-token",)),
        (
            [("authorization", b"Bearer the-apps-own"), ("doorward-token", SECRET.encode())],
            SECRET,
            ("doorward-token",),
        ),
        ([("authorization", b"Bearer the-apps-own")], None, ()),
        ([("authorization", b"\xff\xfe")], None, ()),
        ([("authorization", BEARER), ("authorization", b"x")], Malformed.REPEATED, ("authorization",)),
        ([("doorward-token", b"a"), ("doorward-token", b"b")], Malformed.REPEATED, ("doorward-token",)),
        ([("x-authorization", BEARER)], None, ()),
    ],
)
def test_credentials_are_found_in_the_raw_headers(
    headers: Sequence[tuple[str, bytes]], secret: Secret | Malformed | None, removed: tuple[str, ...]
) -> None:
    """Names in any case, values as bytes, and a header that was sent twice is seen twice."""
    request = read(headers=headers)
    found = request.decided_by.secret
    assert _shown(found) == _shown(secret)
    assert request.remove == removed


def _shown(secret: Secret | Malformed | None) -> object:
    return secret.reveal() if isinstance(secret, Secret) else secret


def test_a_header_may_have_its_value_as_text() -> None:
    """Without `encode_raw_headers` in the filter, a header map has `value` instead of `raw_value`."""
    message = CheckRequest()
    message.attributes.request.http.method = "GET"
    message.attributes.request.http.header_map.headers.add(key="authorization", value=BEARER.decode())
    request = read_request(parse_request(message.SerializeToString()))
    assert _shown(request.decided_by.secret) == SECRET.reveal()


_TEXTS = st.text(st.characters(codec="utf-8"), max_size=10)
_NAMES = st.sampled_from(
    (
        *("authorization", "doorward-token", "origin", "access-control-request-method"),
        *("sec-fetch-mode", "accept", "x-other", "AUTHORIZATION"),
    )
)
_VALUES = st.sampled_from((BEARER.decode(), "Bearer dw_", "navigate", "cors", "text/html", "")) | _TEXTS


@given(
    headers=st.lists(st.tuples(_NAMES, _VALUES), unique_by=lambda each: each[0].lower()),
    method=st.sampled_from(("GET", "HEAD", "POST", "OPTIONS")),
)
def test_the_joined_headers_of_another_configuration_say_the_same(
    headers: list[tuple[str, str]], method: str
) -> None:
    """An Envoy that fills `headers` instead of `header_map` is understood just as well."""
    raw = read(method=method, headers=[(name, value.encode()) for name, value in headers])
    joined = read(method=method, joined_headers=dict(headers))
    assert _shown(joined.decided_by.secret) == _shown(raw.decided_by.secret)
    assert joined.decided_by.cors_preflight == raw.decided_by.cors_preflight
    assert (joined.remove, joined.form) == (raw.remove, raw.form)


def test_two_credentials_that_were_joined_open_nothing() -> None:
    """Joined by a comma, they are no token's form; the header is removed as ever."""
    request = read(joined_headers={"authorization": f"{BEARER.decode()},{BEARER.decode()}"})
    assert request.decided_by.secret is Malformed.FORM
    assert request.remove == ("authorization",)


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "options", "POST"])
@pytest.mark.parametrize("origin", [True, False])
@pytest.mark.parametrize("requested", [True, False])
def test_a_cors_preflight_has_a_method_and_two_headers(method: str, origin: bool, requested: bool) -> None:
    """OPTIONS, `Origin` and `Access-Control-Request-Method` (Fetch standard, CORS-preflight request)."""
    headers = [("origin", b"https://page.example")] if origin else []
    headers += [("access-control-request-method", b"PUT")] if requested else []
    expected = method == "OPTIONS" and origin and requested
    assert read(method=method, headers=headers).decided_by.cors_preflight is expected


@pytest.mark.parametrize(
    ("method", "headers", "form"),
    [
        ("GET", {"sec-fetch-mode": b"navigate"}, Form.PAGE),
        ("HEAD", {"sec-fetch-mode": b"navigate"}, Form.PAGE),
        ("POST", {"sec-fetch-mode": b"navigate"}, Form.PROBLEM),
        ("GET", {"accept": b"text/html,application/xhtml+xml;q=0.9"}, Form.PAGE),
        ("GET", {"accept": b"Text/HTML"}, Form.PAGE),
        ("PUT", {"accept": b"text/html"}, Form.PROBLEM),
        ("GET", {"accept": b"*/*"}, Form.PROBLEM),
        ("GET", {}, Form.PROBLEM),
        # A browser's script that asks for HTML has nobody to show a page to.
        ("GET", {"sec-fetch-mode": b"cors", "accept": b"text/html"}, Form.PROBLEM),
        ("GET", {"sec-fetch-mode": b"", "accept": b"text/html"}, Form.PROBLEM),
    ],
)
def test_a_browser_that_goes_to_an_address_is_told_by_a_page(
    method: str, headers: dict[str, bytes], form: Form
) -> None:
    """By `Sec-Fetch-Mode` where there is one, else by `Accept`; everybody else is told as a program."""
    assert read(method=method, headers=headers.items()).form is form


def test_a_mode_that_is_sent_twice_is_no_browsers() -> None:
    """Two readings are none."""
    assert read(headers=[("sec-fetch-mode", b"navigate")] * 2).form is Form.PROBLEM


def _with_path(path: bytes) -> bytes:
    """A request whose path is these bytes, of the length of the one that is there."""
    return check_request(host=HOST, path="/caf_").replace(b"/caf_", path)


@pytest.mark.parametrize(
    "payload", [b"\xff", b"\x0a\x05ab", _with_path(b"/caf\xe9"), _with_path(b"/\xc3\xe9\xff\xfe")]
)
def test_what_is_no_message_cannot_be_read(payload: bytes) -> None:
    """Broken bytes, a message cut short, and a path that is not UTF-8."""
    with pytest.raises(UnreadableRequestError):
        parse_request(payload)


@pytest.mark.parametrize("map_entry", [b"\xff", b"\x0a\x05ab", b"\x0a\x03\x0a\x01\xff"])
def test_a_broken_header_map_cannot_be_read(map_entry: bytes) -> None:
    """Headers that cannot be read are not taken for none."""
    attributes = parse_request(check_request(host=HOST))
    attributes.request.http.header_map.append(map_entry)
    with pytest.raises(UnreadableRequestError):
        read_request(attributes)


def test_a_request_without_a_method_cannot_be_read() -> None:
    """A check of a TCP connection has none: it is not for Doorward to allow."""
    with pytest.raises(UnreadableRequestError):
        read_request(parse_request(CheckRequest().SerializeToString()))


@pytest.mark.parametrize(
    ("values", "opens"),
    [
        ([], False),
        ([b"websocket"], True),
        ([b"WebSocket"], True),
        ([b"h2c"], False),
        ([b"websocket"] * 2, False),
    ],
)
def test_a_websocket_is_known_by_its_upgrade(values: list[bytes], opens: bool) -> None:
    """As Envoy's route knows it."""
    assert read(headers=[("upgrade", value) for value in values]).opens_websocket is opens
