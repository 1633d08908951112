"""Targets with bytes that are not ASCII, which no client should send (RFC 9112 §3.2)."""

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.http2 import request
from tests.e2e.support.real_stack import RealStack
from tests.e2e.support.stack import FakeStack, Published

PATHS = {
    b"/caf\xe9": "/caf%E9",
    b"/\xff\xfe": "/%FF%FE",
    b"/\xed\xa0\x80": "/%ED%A0%80",
    b"/caf\xc3\xa9": "/caf%C3%A9",
}
"""Latin-1, no encoding at all, half of a UTF-16 pair, and UTF-8: as sent, and as Envoy escapes them."""
QUERIES = [b"/x?q=\xff", b"/x?q=\xc3("]


def send(published: Published, target: bytes) -> str | None:
    """A request over HTTP/2, which allows more bytes in a target than HTTP/1.1; its status."""
    fields = {
        b":method": b"GET",
        b":scheme": b"http",
        b":authority": published.host.encode(),
        b":path": target,
        b"authorization": published.credential["Authorization"].encode(),
    }
    return request(published.address, list(fields.items()))


@pytest.mark.parametrize("target", [*PATHS, *QUERIES])
def test_in_http1_they_are_no_request(published: Published, app: RecordingApp, target: bytes) -> None:
    """Envoy answers 400 by itself."""
    answer = published.get(target.decode("latin-1"))
    assert answer.status == 400
    assert answer.all("content-type") == ["application/problem+json"]
    assert app.requests == []


@pytest.mark.parametrize("path", PATHS)
def test_check_and_app_see_them_escaped_alike(
    seen_through: Published, glass: FakeStack, app: RecordingApp, path: bytes
) -> None:
    """In a path of HTTP/2 Envoy escapes them, ahead of check: it decides on what the app gets."""
    assert send(seen_through, path) == "200"
    assert app.last.target == PATHS[path]
    assert glass.checks[0].seen[-1].attributes.request.http.path == PATHS[path]


def test_beside_operator_paths_they_must_be_text(stack: RealStack, app: RecordingApp) -> None:
    """Where a higher role may depend on what an app makes of them, UTF-8 passes and all else is refused."""
    guarded = stack.publish("127.0.0.1", app.port, operator_paths=["/admin"])
    assert [send(guarded, path) for path in PATHS] == ["400", "400", "400", "200"]
    assert [each.target for each in app.requests] == ["/caf%C3%A9"]


@pytest.mark.parametrize("target", QUERIES)
def test_in_a_query_they_are_the_apps_affair(published: Published, app: RecordingApp, target: bytes) -> None:
    """No decision looks at a query; it arrives as it was sent."""
    assert send(published, target) == "200"
    assert app.last.target.encode("latin-1") == target
