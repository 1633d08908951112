"""The example app does what the guides say."""

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HELLO = Path(__file__).resolve().parents[2] / "examples" / "hello.py"
DEADLINE = 20.0


@pytest.fixture
def hello() -> Iterator[http.client.HTTPConnection]:
    """A connection to the app, which then ends with success at SIGTERM, though the connection is open."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, str(HELLO)],
        env={"PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as app:
        assert app.stdout is not None
        assert app.stdout.readline() == f"listening on port {port}\n".encode()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        yield connection
        app.terminate()
        assert app.wait(DEADLINE) == 0
        connection.close()


def test_get(hello: http.client.HTTPConnection) -> None:
    """GET / answers `Hello, World!` and a newline."""
    hello.request("GET", "/")
    answer = hello.getresponse()
    assert (answer.status, answer.read()) == (200, b"Hello, World!\n")


def test_head(hello: http.client.HTTPConnection) -> None:
    """HEAD answers what GET would, without the body, on a connection that stays usable."""
    hello.request("HEAD", "/")
    answer = hello.getresponse()
    assert (answer.status, answer.headers["content-length"], answer.read()) == (200, "14", b"")
    hello.request("GET", "/nothing")
    assert hello.getresponse().status == 404


def test_post(hello: http.client.HTTPConnection) -> None:
    """POST answers what was sent, byte for byte and with its type, on any path."""
    body = bytes(range(256)) * 1000
    hello.request("POST", "/any/path", body, {"content-type": "application/x-test"})
    answer = hello.getresponse()
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-test")
    assert answer.read() == body


def test_chunks(hello: http.client.HTTPConnection) -> None:
    """A body without a length, as proxies may send it, is answered too."""
    hello.request("POST", "/", iter([b"one, ", b"two, ", b"x" * 100_000]), encode_chunked=True)
    assert hello.getresponse().read() == b"one, two, " + b"x" * 100_000


def test_headers(hello: http.client.HTTPConnection) -> None:
    """GET /headers answers the headers that have arrived, those that came twice joined."""
    hello.putrequest("GET", "/headers")
    for name, value in (("X-One", "1"), ("x-two", "a"), ("X-Two", "b")):
        hello.putheader(name, value)
    hello.endheaders()
    received = json.loads(hello.getresponse().read())
    assert received["x-one"] == "1"
    assert received["x-two"] == "a, b"
    assert "authorization" not in received
