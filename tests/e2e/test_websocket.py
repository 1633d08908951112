"""WebSockets through Envoy."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from tests.e2e.support.apps import Received, RecordingApp
from tests.e2e.support.raw_http import TIMEOUT, Connection, request_bytes
from tests.e2e.support.stack import Published, Stack, fake_stack


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a WebSocket app that echoes, and says `role:` and its role first."""

    def handle(client: ServerConnection) -> None:
        assert client.request is not None
        client.send(f"role:{client.request.headers['x-doorward-role']}")
        for message in client:
            client.send(message)

    with serve(handle, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join(TIMEOUT)


@contextmanager
def opened(published: Published, credential: dict[str, str]) -> Iterator[ClientConnection]:
    """A WebSocket to an app."""
    with (
        closing(socket.create_connection(published.address, TIMEOUT)) as sock,
        connect(
            f"ws://{published.host}/chat", sock=sock, additional_headers=credential, proxy=None
        ) as client,
    ):
        yield client


def test_a_websocket_opens_with_a_token(stack: Stack, echo: int) -> None:
    """Both directions work, text and binary, and the app knows who it talks to."""
    published = stack.publish("127.0.0.1", echo)
    with opened(published, dict(published.credential)) as client:
        assert client.recv(TIMEOUT) == "role:READ_ONLY"
        for message in ("hello", b"\x00\xff" * 40_000):
            client.send(message)
            assert client.recv(TIMEOUT) == message


def test_the_api_has_no_websocket(stack: Stack) -> None:
    """The api's host upgrades nothing."""
    headers = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")]
    with Connection(stack.address) as connection:
        connection.send(request_bytes("GET", "/v1/apps", host="api.localhost", headers=headers))
        assert connection.answer().status in {403, 404}


def test_a_websocket_ends_after_its_longest_duration(echo: int, app: RecordingApp) -> None:
    """`websocket_max_duration` ends a busy WebSocket, for nobody asks again whether its token lives."""
    with fake_stack(websocket_max_duration=1) as stack:
        published = stack.publish("127.0.0.1", echo)
        started = time.monotonic()
        with opened(published, dict(published.credential)) as client, suppress(ConnectionClosed):
            while time.monotonic() - started < TIMEOUT:
                client.send("still here")
                client.recv(TIMEOUT)
        assert time.monotonic() - started < TIMEOUT
        assert time.monotonic() - started >= 0.9

        # It is about WebSockets: a response may stream for longer.
        def respond(received: Received) -> None:
            received.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
            for _ in range(8):
                received.socket.sendall(b"x")
                time.sleep(0.2)  # so that all of it takes longer than a WebSocket may

        app.respond = respond
        assert stack.publish("127.0.0.1", app.port).get().body == b"x" * 8
