"""What a client cannot make Envoy do, besides what the conformance kit tries."""

from contextlib import ExitStack

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.raw_http import Connection, request_bytes
from tests.e2e.support.stack import Published, fake_stack


def test_a_client_cannot_give_orders_to_envoy(published: Published, app: RecordingApp) -> None:
    """x-envoy-* headers, which set timeouts and retries, are dropped, though they come from this machine."""
    orders = {
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-envoy-retry-on": "5xx",
        "x-envoy-max-retries": "9",
        "x-envoy-original-path": "/other",
        "x-envoy-original-method": "DELETE",
        "x-envoy-internal": "true",
        "x-envoy-external-address": "192.0.2.77",
    }
    app.respond = lambda _: b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    assert published.get(headers=orders.items()).status == 503
    assert len(app.requests) == 1
    assert {name for name in app.last.names() if name.startswith("x-envoy-")} <= {"x-envoy-external-address"}
    assert app.last.all("x-envoy-external-address") == ["127.0.0.1"]


def test_x_forwarded_for_is_appended_to(published: Published, app: RecordingApp) -> None:
    """The last address is the one that Envoy saw; what stands before it is the client's word."""
    published.get(headers=[("X-Forwarded-For", "192.0.2.66"), ("X-Forwarded-Proto", "https")])
    (forwarded,) = app.last.all("x-forwarded-for")
    claimed, _, seen = forwarded.partition(",")
    assert claimed == "192.0.2.66"
    assert seen
    assert app.last.all("x-forwarded-proto") == ["http"]


def test_slow_headers_are_given_ten_seconds(published: Published, app: RecordingApp) -> None:
    """A connection cannot be held by sending a request's head byte by byte."""
    with Connection(published.address) as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: ")
        assert connection.answer().status == 408
    assert app.requests == []


def test_there_is_a_limit_to_connections(app: RecordingApp) -> None:
    """Beyond `max_connections`, a connection is closed at once, and the others go on."""
    with fake_stack(max_connections=2) as limited, ExitStack() as opened:
        published = limited.publish("127.0.0.1", app.port)
        request = request_bytes("GET", "/", host=published.host, headers=published.credential.items())
        held = [opened.enter_context(Connection(limited.address)) for _ in range(2)]
        for connection in held:
            connection.send(request)
            assert connection.answer().status == 200
        with Connection(limited.address) as third:
            assert third.until_closed() == b""
        for connection in held:
            connection.send(request)
            assert connection.answer().status == 200
