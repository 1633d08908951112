"""What HTTP/2 makes possible and HTTP/1.1 does not, refused."""

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.http2 import Fields, request
from tests.e2e.support.stack import Published


def fields(published: Published, *more: tuple[str, str], without: str = "", **pseudo: str) -> Fields:
    """The header fields of a good request, changed."""
    found = {"method": "GET", "scheme": "http", "authority": published.host, "path": "/", **pseudo}
    return [
        *((f":{name}", value) for name, value in found.items() if name != without),
        ("authorization", published.credential["Authorization"]),
        *more,
    ]


def test_a_good_request_passes(published: Published, app: RecordingApp) -> None:
    """The same request without an attack reaches the app, so the others fail for what is wrong with them."""
    assert request(published.address, fields(published)) == "200"
    assert app.last.all("host") == [published.host]


@pytest.mark.parametrize("host", ["localhost", "other.app.gra.localhost", "127.0.0.1"])
def test_a_host_beside_the_authority_does_not_count(
    published: Published, app: RecordingApp, host: str
) -> None:
    """Check and app are told one and the same host, the authority (RFC 9113 §8.3.1)."""
    assert request(published.address, fields(published, ("host", host))) in {"200", "400", None}
    assert all(received.all("host") == [published.host] for received in app.requests)
    other = fields(published, ("host", published.host), authority="other.app.gra.localhost")
    assert request(published.address, other) in {"403", "400", None}
    assert len(app.requests) <= 1


@pytest.mark.parametrize("authority", ["", "a b", "x@{host}", "{host},{host}", "{host}/x", "{host}#", "é"])
def test_a_malformed_authority_is_no_app(published: Published, app: RecordingApp, authority: str) -> None:
    """An authority that is no host reaches nothing."""
    sent = fields(published, authority=authority.format(host=published.host))
    assert request(published.address, sent) in {"400", "403", None}
    assert app.requests == []


@pytest.mark.parametrize("missing", ["method", "path", "scheme"])
def test_an_incomplete_request_is_refused(published: Published, app: RecordingApp, missing: str) -> None:
    """Method, scheme and path are there, or it is no request (RFC 9113 §8.3.1)."""
    assert request(published.address, fields(published, without=missing)) in {"400", "404", None}
    assert app.requests == []


@pytest.mark.parametrize(
    "field",
    [
        ("transfer-encoding", "chunked"),
        ("connection", "x-doorward-role"),
        ("X-Upper", "a"),
        ("x-break", "a\r\nx-doorward-role: ADMIN"),
        ("x-nul", "a\x00b"),
        ("x y", "a"),
        ("", "a"),
        (":path", "/other"),
        (":authority", "localhost"),
    ],
)
def test_fields_that_would_break_http_1_are_refused(
    published: Published, app: RecordingApp, field: tuple[str, str]
) -> None:
    """What would be another request, or another header, once it is written as HTTP/1.1 goes nowhere."""
    assert request(published.address, fields(published, field)) in {"400", None}
    assert app.requests == []


@pytest.mark.parametrize("protocol", [None, "websocket", "connect-udp"])
def test_connect_is_refused(published: Published, app: RecordingApp, protocol: str | None) -> None:
    """Neither CONNECT nor extended CONNECT (RFC 8441) makes a tunnel."""
    pseudo = {"method": "CONNECT"} | ({} if protocol is None else {"protocol": protocol})
    without = "path" if protocol is None else ""
    assert request(published.address, fields(published, without=without, **pseudo)) in {
        "403",
        "404",
        "400",
        None,
    }
    assert app.requests == []


def test_a_length_that_is_a_lie_is_refused(published: Published, app: RecordingApp) -> None:
    """A Content-Length that the body does not keep cannot smuggle a request to an HTTP/1.1 app."""
    lie = fields(published, ("content-length", "500"), method="POST")
    assert request(published.address, lie, trailers=[("x-own", "a")]) in {"400", None}
    assert app.requests == []
