"""The port of the metrics: one path, one method, and nobody holds it up."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from doorward_server.metrics import listening
from doorward_server.metrics.listening import MetricsListenError, free_port, serving_metrics
from tests.support.waiting import eventually

BODY = b"doorward_policy_revision 7.0\n"
SECONDS = 10.0


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that a test writes what it wants on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def exchanged(port: int, request: bytes) -> bytes:
    """All that comes back on a connection of its own, until the server closes it."""
    async with connected(port) as (reader, writer):
        writer.write(request)
        async with asyncio.timeout(SECONDS):
            return await reader.read()


def get(target: str = "/metrics", method: str = "GET") -> bytes:
    """A request."""
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def status(answer: bytes) -> int:
    """The status of an answer."""
    return int(answer.split(b" ", 2)[1])


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """The port of metrics that are served."""
    async with serving_metrics(lambda: BODY, address="127.0.0.1", port=0) as port:
        yield port


async def test_a_scrape(port: int) -> None:
    """Answers the text with its type and length, and closes the connection."""
    for target in ("/metrics", "/metrics?name=x"):
        head, _, body = (await exchanged(port, get(target))).partition(b"\r\n\r\n")
        assert body == BODY
        lines = head.split(b"\r\n")
        assert lines[0] == b"HTTP/1.1 200 OK"
        assert b"Content-Type: text/plain; version=0.0.4; charset=utf-8" in lines
        assert f"Content-Length: {len(BODY)}".encode() in lines


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (get("/"), 404),
        (get("/metrics/"), 404),
        (get("/../metrics"), 404),
        (get("http://x/metrics"), 404),
        (get(method="POST"), 405),
        (get(method="HEAD"), 405),
        (get(method="DELETE"), 405),
        (b"GET /metrics\r\n\r\n", 400),
        (b"GET  /metrics HTTP/1.1\r\n\r\n", 400),
        (b"GET /metrics HTTP/2.0\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431),
    ],
)
async def test_everything_else_is_refused(port: int, request_: bytes, expected: int) -> None:
    """Another path, another method, and what is no request; the next scrape is answered."""
    answer = await exchanged(port, request_)
    assert status(answer) == expected
    assert BODY not in answer
    assert (b"Allow: GET" in answer) == (expected == 405)
    assert status(await exchanged(port, get())) == 200


async def test_a_scraper_that_says_nothing_is_left(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection is closed after a while, without an answer; nobody waits for it meanwhile."""
    monkeypatch.setattr(listening, "_SECONDS", 0.2)
    async with connected(port) as (reader, writer):
        writer.write(b"GET /metrics HT")
        assert status(await exchanged(port, get())) == 200
        async with asyncio.timeout(SECONDS):
            assert await _rest(reader) == b""


async def test_there_are_only_so_many_connections(port: int) -> None:
    """Those beyond are closed at once; when one ends, the next one is served."""
    async with AsyncExitStack() as held:
        writers = []
        for _ in range(listening._CONNECTIONS):
            _, writer = await held.enter_async_context(connected(port))
            writers.append(writer)
        async with connected(port) as (reader, _), asyncio.timeout(SECONDS):
            assert await _rest(reader) == b""
        writers[0].transport.abort()

        async def served() -> bool:
            return BODY in await _tried(port)

        await eventually(served, what="there is room for one more connection")


async def test_metrics_that_cannot_be_collected(caplog: pytest.LogCaptureFixture) -> None:
    """Are an error to the scraper, and a line in the log to whoever mends it; the process goes on."""
    bodies = iter([ZeroDivisionError, None])

    def render() -> bytes:
        fault = next(bodies)
        if fault is not None:
            raise fault
        return BODY

    async with serving_metrics(render, address="127.0.0.1", port=0) as port:
        with caplog.at_level(logging.ERROR):
            assert status(await exchanged(port, get())) == 500
        assert "ZeroDivisionError" in caplog.text
        assert status(await exchanged(port, get())) == 200


async def test_the_end_waits_for_nobody() -> None:
    """Connections that are open are broken off, and the port is free again."""
    async with AsyncExitStack() as stack:
        async with serving_metrics(lambda: BODY, address="127.0.0.1", port=0) as port:
            reader, _ = await stack.enter_async_context(connected(port))
            # Served already, or it would only be waiting in the backlog.
            assert status(await exchanged(port, get())) == 200
        async with asyncio.timeout(SECONDS):
            assert await _rest(reader) == b""
    async with serving_metrics(lambda: BODY, address="127.0.0.1", port=port):
        assert status(await exchanged(port, get())) == 200


async def test_a_port_in_use(port: int) -> None:
    """Is refused in one line, with the setting to change."""
    with pytest.raises(MetricsListenError) as refused:
        async with serving_metrics(lambda: BODY, address="127.0.0.1", port=port):
            pass
    assert str(refused.value) == (
        f"cannot listen for metrics on 127.0.0.1, port {port}: Address already in use; "
        "set DOORWARD_METRICS_PORT to another port, or to 0 for a free one"
    )


async def test_an_address_of_another_machine() -> None:
    """Is refused with the other setting."""
    with pytest.raises(
        MetricsListenError, match="set DOORWARD_METRICS_ADDRESS to an address of this machine"
    ):
        async with serving_metrics(lambda: BODY, address="192.0.2.1", port=0):
            pass


async def test_a_free_port() -> None:
    """Of 0 one is made that can be listened on; one that is in use is refused."""
    found = free_port("127.0.0.1", 0)
    assert free_port("127.0.0.1", found) == found
    with socket.create_server(("127.0.0.1", found)), pytest.raises(MetricsListenError):
        free_port("127.0.0.1", found)


async def _rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the end, also when that is a reset."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def _tried(port: int) -> bytes:
    async with connected(port) as (reader, writer):
        writer.write(get())
        return await _rest(reader)
