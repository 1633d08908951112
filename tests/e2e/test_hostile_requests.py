"""Requests that Envoy refuses before anybody else sees them."""

from contextlib import ExitStack

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.raw_http import Connection, exchange, request_bytes
from tests.e2e.support.stack import Published, Stack, fake_stack


def _send(published: Published, data: bytes) -> int:
    with Connection(published.address) as connection:
        connection.send(data)
        return connection.answer().status


def _lines(published: Published, first: str, *more: str) -> bytes:
    credential = [f"{name}: {value}" for name, value in published.credential.items()]
    return "\r\n".join([first, f"Host: {published.host}", *credential, *more, "", ""]).encode()


def test_http_1_0_is_refused(published: Published, app: RecordingApp) -> None:
    """HTTP/1.0 knows no Host, and is answered 426."""
    assert _send(published, _lines(published, "GET / HTTP/1.0")) == 426
    assert app.requests == []


@pytest.mark.parametrize("target", ["{host}", "127.0.0.1:22"])
@pytest.mark.parametrize("host", ["{host}", "localhost"])
def test_connect_is_refused(published: Published, app: RecordingApp, target: str, host: str) -> None:
    """Envoy is no tunnel to anywhere, token or not."""
    data = request_bytes(
        "CONNECT",
        target.format(host=published.host),
        host=host.format(host=published.host),
        headers=published.credential.items(),
    )
    assert _send(published, data) == 403
    assert app.requests == []


@pytest.mark.parametrize("protocol", ["tcp", "h2c-other", "connect-udp", "websocket, other"])
def test_upgrades_but_websocket_are_refused(published: Published, app: RecordingApp, protocol: str) -> None:
    """After an upgrade nobody decides any more, so only WebSocket, which has a longest duration, may."""
    assert published.get(headers=[("Connection", "Upgrade"), ("Upgrade", protocol)]).status in {403, 404}
    assert app.requests == []


def test_h2c_upgrades_are_ignored(published: Published, app: RecordingApp) -> None:
    """An upgrade to h2c, which would carry requests that nobody checks, is not offered to the app."""
    headers = [
        ("Connection", "Upgrade, HTTP2-Settings"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
    ]
    assert published.get(headers=headers).status == 200
    assert not {"upgrade", "http2-settings"} & app.last.names()


@pytest.mark.parametrize(
    "framing",
    [
        ("Content-Length: 4", "Transfer-Encoding: chunked"),
        ("Content-Length: 4", "Content-Length: 5"),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: xchunked",),
        ("Content-Length: -1",),
        ("Content-Length: +4",),
    ],
)
def test_ambiguous_framing_is_refused(
    published: Published, app: RecordingApp, framing: tuple[str, ...]
) -> None:
    """A request whose end two parsers could see in two places goes nowhere (RFC 9112 §6.3)."""
    smuggled = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert _send(published, _lines(published, "POST / HTTP/1.1", *framing) + smuggled) in {400, 501}
    assert app.requests == []


@pytest.mark.parametrize("line", ["X-A: a\x00b", "X-A : b", "X A: b", "X-A", ": b"])
def test_malformed_headers_are_refused(published: Published, app: RecordingApp, line: str) -> None:
    """A header that an app could read as another one is answered 400."""
    assert _send(published, _lines(published, "GET / HTTP/1.1", line)) == 400
    assert app.requests == []


@pytest.mark.parametrize("line", ["X-A: b\rX-Doorward-Role: ADMIN", "X-A: b\r\n X-Doorward-Role: ADMIN"])
def test_a_header_cannot_hide_another(published: Published, app: RecordingApp, line: str) -> None:
    """A bare CR and a folded line, in which some servers see a second header, are gone when the app reads."""
    assert _send(published, _lines(published, "GET / HTTP/1.1", line)) == 200
    (value,) = app.last.all("x-a")
    assert "\r" not in value
    assert app.last.all("x-doorward-role") == ["READ_ONLY"]


def test_headers_of_60_kib_pass(published: Published, app: RecordingApp) -> None:
    """Large cookies are an app's own affair."""
    assert published.get(headers=[("Cookie", "a" * 58_000)]).status == 200
    assert app.last.all("cookie") == ["a" * 58_000]


def test_larger_headers_are_refused(published: Published, app: RecordingApp) -> None:
    """Beyond 60 KiB in all, headers are answered 431."""
    assert published.get(headers=[(f"X-{n}", "a" * 6000) for n in range(11)]).status == 431
    assert app.requests == []


def test_too_many_headers_are_refused(published: Published, app: RecordingApp) -> None:
    """Two hundred headers are enough for anybody."""
    assert published.get(headers=[(f"X-{n}", "a") for n in range(250)]).status == 431
    assert app.requests == []


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


def test_garbage_hurts_nobody_else(published: Published, stack: Stack) -> None:
    """What is not HTTP is answered 400 and closed, and the next request is served."""
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00", b"\x00" * 4096, b"SSH-2.0-x"):
        with Connection(stack.address) as connection:
            connection.send(garbage + b"\r\n\r\n")
            assert connection.until_closed().startswith(b"HTTP/1.1 400 ")
    assert (
        exchange(stack.address, "GET", "/", host=published.host, headers=published.credential).status == 200
    )
