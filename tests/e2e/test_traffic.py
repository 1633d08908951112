"""What an app needs from a proxy: that its traffic passes, as it is and when it is sent."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

import httpx
import psutil
import pytest

from tests.e2e.support.apps import Received, RecordingApp
from tests.e2e.support.http2 import Http2App, request
from tests.e2e.support.raw_http import TIMEOUT, Answer, Connection, exchange, request_bytes
from tests.e2e.support.stack import FakeStack, Published, Stack, fake_stack
from tests.support.waiting import wait_for

MIB = 1024 * 1024
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module", autouse=True)
def late_answer(stack: Stack) -> Iterator["Future[Answer]"]:
    """A request that a model thinks about for longer than 15 s, while the other tests go on."""
    over = threading.Event()

    def think(received: Received) -> None:
        # The promise is about this very time; nobody waits for what is left of it when the tests are through.
        over.wait(15.5)
        received.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")

    with RecordingApp(think) as model, ThreadPoolExecutor(1) as visitor:
        published = stack.publish("127.0.0.1", model.port)
        head = request_bytes("GET", "/", host=published.host, headers=published.credential.items())

        def visit() -> Answer:
            with Connection(published.address) as connection:
                connection.socket.settimeout(30)
                connection.send(head)
                return connection.answer()

        yield visitor.submit(visit)
        over.set()


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_methods_and_bodies_pass(published: Published, app: RecordingApp, method: str) -> None:
    """A token opens an app for every method, with the body as it was sent."""
    assert published.send(method, "/x", body=b"\x00body\xff").status == 200
    assert (app.last.method, app.last.body) == (method, b"\x00body\xff")


def test_a_response_passes_as_it_is(published: Published, app: RecordingApp) -> None:
    """Status, reason, repeated headers, the app's Server and Date: nothing is added or taken."""
    app.respond = lambda _: (
        b"HTTP/1.1 299 Own\r\nServer: own/1\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
        b'Set-Cookie: a=1; Path=/\r\nSet-Cookie: b="2,3"\r\nX-Powered-By: x\r\n'
        b"Access-Control-Allow-Origin: *\r\nContent-Length: 2\r\n\r\n\xff\x00"
    )
    answer = published.get()
    assert (answer.status, answer.body) == (299, b"\xff\x00")
    assert {name: answer.all(name) for name, _ in answer.headers} == {
        "server": ["own/1"],
        "date": ["Thu, 01 Jan 1970 00:00:00 GMT"],
        "set-cookie": ["a=1; Path=/", 'b="2,3"'],
        "x-powered-by": ["x"],
        "access-control-allow-origin": ["*"],
        "content-length": ["2"],
    }


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503, 504])
def test_an_apps_own_error_passes_as_it_is(published: Published, app: RecordingApp, status: int) -> None:
    """An error of the app is the app's to word."""
    app.respond = lambda _: (
        b"HTTP/1.1 %d Oh\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nmine" % status
    )
    answer = published.get()
    assert (answer.status, answer.body) == (status, b"mine")
    assert answer.all("content-type") == ["text/plain"]
    assert len(app.requests) == 1


def test_an_app_that_refuses_connections_is_503(glass: FakeStack, app: RecordingApp) -> None:
    """The answer does not tell where the app should have been."""
    port = app.port
    app.close()
    answer = glass.publish("127.0.0.1", port).get()
    assert answer.status == 503
    assert answer.all("content-type") == ["application/problem+json"]
    assert b"127.0.0.1" not in answer.body
    assert str(port).encode() not in answer.body


def test_an_app_whose_name_does_not_resolve_is_503(glass: FakeStack) -> None:
    """The answer does not tell the name."""
    answer = glass.publish("nothing-here.invalid", 80).get()
    assert answer.status == 503
    assert b"nothing-here" not in answer.body


def test_an_app_that_breaks_off_is_not_asked_twice(seen_through: Published, app: RecordingApp) -> None:
    """Envoy repeats no request of an app's client: it may have been acted upon."""
    app.respond = lambda _: None
    assert seen_through.send("POST", "/pay", body=b"1").status == 503
    assert len(app.requests) == 1


def test_an_app_may_have_a_name(stack: Stack, app: RecordingApp) -> None:
    """The address that check answers with may be a DNS name."""
    assert stack.publish("localhost", app.port).get().status == 200


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback")
def test_an_app_may_have_an_ipv6_address(stack: Stack) -> None:
    """The address of an app may be IPv6."""
    with RecordingApp(host="::1") as app:
        assert stack.publish("[::1]", app.port).get().status == 200


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.0.1",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "[fd20:ce::254]",
        "100.100.100.200",
        "168.63.129.16",
    ],
)
def test_metadata_services_are_never_connected_to(glass: FakeStack, host: str) -> None:
    """A cloud's metadata service is no app, even when check gives its address, as it would for a name."""
    target = f"/metadata-{host}"
    assert glass.publish(host, 80).get(target).status == 403
    entry = glass.envoy.logged(target)
    assert entry["upstream"] is None
    assert "rbac" in entry["details"]


def test_server_sent_events_arrive_one_by_one(published: Published, app: RecordingApp) -> None:
    """Each event reaches the client before the app sends the next."""
    seen = threading.Event()

    def respond(received: Received) -> None:
        received.socket.sendall(STREAM_HEAD)
        for _ in range(3):
            received.socket.sendall(chunk(b"data: x\n\n"))
            assert seen.wait(TIMEOUT)
            seen.clear()
        received.socket.sendall(chunk(b""))

    app.respond = respond
    with Connection(published.address) as connection:
        connection.send(request_bytes("GET", "/", host=published.host, headers=published.credential.items()))
        response = connection.head()
        for _ in range(3):
            assert response.read(9) == b"data: x\n\n"
            seen.set()
        assert response.read() == b""


def test_a_stalled_request_is_ended_after_the_idle_timeout(app: RecordingApp) -> None:
    """`stream_idle_timeout` ends what moves in neither direction, and does not end what moves."""

    def respond(received: Received) -> None:
        received.socket.sendall(STREAM_HEAD)
        for _ in range(4):
            received.socket.sendall(chunk(b"x"))
            time.sleep(0.5)  # less than the timeout each, more in all
        received.socket.recv(1)

    app.respond = respond
    with fake_stack(stream_idle_timeout=1) as stack, Connection(stack.address) as connection:
        published = stack.publish("127.0.0.1", app.port)
        connection.send(request_bytes("GET", "/", host=published.host, headers=published.credential.items()))
        assert connection.until_closed().count(b"\r\nx\r\n") == 4


def test_a_large_upload_streams(glass: FakeStack) -> None:
    """One GiB reaches the app while it is being sent, and Envoy holds next to nothing of it."""
    received = 0

    class Sink(RecordingApp):
        def serve_one(self, client: object) -> bool:
            nonlocal received
            head = b""
            while b"\r\n\r\n" not in head:
                head += self._receive(client)
            received = len(head.partition(b"\r\n\r\n")[2])
            while received < 1024 * MIB:
                received += len(self._receive(client))
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")  # type: ignore[attr-defined]
            return False

        @staticmethod
        def _receive(client: object) -> bytes:
            data: bytes = client.recv(MIB)  # type: ignore[attr-defined]
            if not data:
                raise ConnectionError("the body was cut off")
            return data

    envoy = psutil.Process(glass.envoy.pid)
    before = peak = envoy.memory_info().rss
    block = bytes(MIB)
    with Sink() as sink, Connection(glass.address) as connection:
        published = glass.publish("127.0.0.1", sink.port)
        headers = [*published.credential.items(), ("Content-Length", str(1024 * MIB))]
        connection.send(request_bytes("PUT", "/", host=published.host, headers=headers))
        connection.send(block)
        wait_for(lambda: received > 0, what="the first bytes at the app")
        for sent in range(1, 1024):
            connection.send(block)
            if sent % 64 == 0:
                peak = max(peak, envoy.memory_info().rss)
        assert connection.answer().body == b"done"
    assert received == 1024 * MIB
    assert peak - before < 32 * MIB


def test_a_slow_app_makes_the_sender_wait(seen_through: Published, app: RecordingApp) -> None:
    """A body that the app does not read is not read by Envoy either, beyond its buffers."""
    blocked = threading.Event()

    def serve_one(client: object) -> bool:
        assert blocked.wait(TIMEOUT)
        return False

    app.serve_one = serve_one  # type: ignore[method-assign]
    with Connection(seen_through.address) as connection:
        headers = [*seen_through.credential.items(), ("Content-Length", str(1024 * MIB))]
        connection.send(request_bytes("PUT", "/", host=seen_through.host, headers=headers))
        connection.socket.settimeout(1)
        sent = 0
        with suppress(TimeoutError):
            while sent < 256 * MIB:
                sent += connection.socket.send(bytes(MIB))
    blocked.set()
    assert sent < 64 * MIB


def test_the_app_decides_on_100_continue(seen_through: Published, app: RecordingApp) -> None:
    """A client that asks first is told by the app, and by check, before it sends a body."""
    app.respond = lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    expecting = [("Expect", "100-continue"), ("Content-Length", "1000000000")]
    with Connection(seen_through.address) as connection:
        connection.send(request_bytes("PUT", "/", host=seen_through.host, headers=expecting))
        assert connection.answer().status == 401
    assert app.requests == []

    def serve_one(client: object) -> bool:
        client.recv(65536)  # type: ignore[attr-defined]
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")  # type: ignore[attr-defined]
        assert client.recv(4) == b"body"  # type: ignore[attr-defined]
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")  # type: ignore[attr-defined]
        return False

    app.serve_one = serve_one  # type: ignore[method-assign]
    headers = [*seen_through.credential.items(), ("Expect", "100-continue"), ("Content-Length", "4")]
    with Connection(seen_through.address) as connection:
        connection.send(request_bytes("PUT", "/", host=seen_through.host, headers=headers))
        interim = connection.socket.recv(65536)
        assert re.match(rb"HTTP/1\.1 100 [^\n]*\r\n\r\n$", interim)
        connection.send(b"body")
        assert connection.answer().status == 200


def test_clients_may_speak_http_2(published: Published, app: RecordingApp) -> None:
    """HTTP/2 from the client, HTTP/1.1 to the app, and check in between."""
    host, port = published.address
    with httpx.Client(http1=False, http2=True, timeout=TIMEOUT, trust_env=False) as client:
        url, name = f"http://{host}:{port}/x", {"Host": published.host}
        assert client.get(url, headers=name).status_code == 401
        assert app.requests == []
        answer = client.get(url, headers={**name, **published.credential, "X_Doorward_Role": "ADMIN"})
    assert (answer.http_version, answer.text) == ("HTTP/2", "Hello, World!")
    assert app.last.all("host") == [published.host]
    assert "x_doorward_role" not in app.last.names()


def test_identity_cannot_be_forged_in_trailers(stack: Stack) -> None:
    """Trailers of a gRPC client pass, but for those that look like Doorward's."""
    with Http2App() as app:
        published = stack.publish("127.0.0.1", app.port)
        status = request(
            stack.address,
            [
                (":method", "POST"),
                (":scheme", "http"),
                (":path", "/test.Echo/Unary"),
                (":authority", published.host),
                ("content-type", "application/grpc"),
                ("te", "trailers"),
                ("authorization", published.credential["Authorization"]),
            ],
            trailers=[("x-own", "kept"), ("x-doorward-role", "ADMIN"), ("x_doorward_role", "ADMIN")],
        )
    assert status == "200"
    assert app.trailers == [[("x-own", "kept")]]
    assert dict(app.headers[0])["x-doorward-role"] == "READ_ONLY"


def test_a_deleted_app_is_not_reached_by_another_ones_connection(glass: FakeStack) -> None:
    """Two apps behind one Envoy get their own requests, on one connection of one client."""
    with RecordingApp() as one, RecordingApp() as two, Connection(glass.address) as connection:
        first, second = (glass.publish("127.0.0.1", app.port) for app in (one, two))
        for published in (first, second, first, second):
            connection.send(
                request_bytes("GET", "/", host=published.host, headers=published.credential.items())
            )
            assert connection.answer().status == 200
        assert [request.all("host") for request in one.requests] == [[first.host]] * 2
        assert [request.all("host") for request in two.requests] == [[second.host]] * 2
        del glass.rules.apps[first.app_id]
        assert exchange(glass.address, "GET", "/", host=first.host, headers=first.credential).status == 403
        assert len(one.requests) == 2


def test_a_model_may_think_for_longer_than_envoy_would_wait(late_answer: "Future[Answer]") -> None:
    """Envoy's own default of 15 s for a whole response does not apply. The last test, as it takes long."""
    assert late_answer.result(30).body == b"late"
