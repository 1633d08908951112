"""Probing: what counts as ready, and that no answer does any harm."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from doorward_server.domain.apps import Readiness
from doorward_server.domain.policy import Address
from doorward_server.runtimes.health import Health, NotReady, Ready, changes
from doorward_server.runtimes.ports import Ports
from doorward_server.runtimes.probes import probe

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[Address]:
    """A server on the loopback interface."""
    open_connections: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_connections.add(task)
        try:
            await serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield Address(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in open_connections:
            task.cancel()
        await asyncio.gather(*open_connections, return_exceptions=True)


def answering(answer: bytes) -> Serve:
    """Answers each request with these bytes and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return serve


@pytest.mark.parametrize("status", [200, 204, 299, 301, 399])
async def test_ready(status: int) -> None:
    """2xx and 3xx mean ready, by HTTP/1.0 and 1.1, with a reason phrase or without."""
    for line in (f"HTTP/1.1 {status} Fine\r\n", f"HTTP/1.0 {status} \r\n", f"HTTP/1.1 {status}\r\n"):
        async with listening(answering(line.encode() + b"content-length: 2\r\n\r\nok")) as address:
            assert await probe(address, path="/") is None


@pytest.mark.parametrize("status", [100, 199, 400, 401, 404, 500, 503])
async def test_not_ready(status: int) -> None:
    """Any other status means not ready, and is named."""
    async with listening(answering(f"HTTP/1.1 {status} No\r\n\r\n".encode())) as address:
        assert await probe(address, path="/") == f"GET is answered {status}"


@pytest.mark.parametrize(
    "answer",
    [b"", b"\r\n", b"200 OK\r\n", b"SSH-2.0-x\r\n", b"HTTP/2 200\r\n", b"HTTP/1.1 2000\r\n", b"x" * 100_000],
)
async def test_not_http(answer: bytes) -> None:
    """An answer that is not HTTP/1.1, or has no end, is no readiness."""
    async with listening(answering(answer)) as address:
        assert await probe(address, path="/") == "the answer is not HTTP/1.1"


async def test_no_answer() -> None:
    """An app that accepts but never answers is not ready, and holds the probe no longer than its patience."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with listening(silent) as address:
        assert await probe(address, path="/", patience=0.1) == "no answer within 0.1 s"
        assert await probe(address, path=None, patience=5) is None


async def test_endless_answer() -> None:
    """An app that never ends its answer is ready, and does not hold the probe."""

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with listening(endless) as address:
        assert await probe(address, path="/") is None


async def test_refused(tmp_path: Path) -> None:
    """Where nobody listens nothing is ready, and the reason does not tell the address."""
    address = Address(host="127.0.0.1", port=Ports(tmp_path / "ports.json", rest=0).take())
    assert await probe(address, path=None) == "connection refused"
    assert await probe(address, path="/") == "connection refused"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/health?deep=1&x=%2F", "/health?deep=1&x=%2F"),
        ("/a b", "/a%20b"),
        ("/ü", "/%C3%BC"),
        ("/\r\nx-forged: 1", "/%0D%0Ax-forged%3A%201".replace("%3A", ":")),
    ],
)
async def test_request(path: str, target: str) -> None:
    """The path is asked for as it is; what would end the line early is escaped. No credential is sent."""
    received = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async with listening(serve) as address:
        assert await probe(address, path=path, host="models.internal:80") is None
    assert received.decode().split("\r\n") == [
        f"GET {target} HTTP/1.1",
        "host: models.internal:80",
        "user-agent: doorward-readiness",
        "accept: */*",
        "connection: close",
        "",
        "",
    ]


async def test_complete_answer_is_read() -> None:
    """An app can write its whole answer: a probe that hangs up early would be an error in its log."""
    written = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        written.set()

    async with listening(serve) as address:
        assert await probe(address, path="/") is None
        async with asyncio.timeout(5):
            await written.wait()


A, B = Ready(Address(host="10.0.0.1", port=1)), Ready(Address(host="10.0.0.2", port=1))
NO = NotReady("no")


@pytest.mark.parametrize(
    ("threshold", "seen", "expected"),
    [
        (3, [A, A, A], [A]),
        (3, [NO, NO, A], [A]),
        (3, [NO, NO, NO, NO, A], [NO, A]),
        (3, [A, NO, NO, A, NO, NO, A], [A]),
        (3, [A, NO, NO, NO, NO, A, A], [A, NO, A]),
        (1, [A, NO, A, NO], [A, NO, A, NO]),
        (1, [A, A, B, B, A], [A, B, A]),
        (2, [A, NO, NotReady("other")], [A, NotReady("other")]),
    ],
)
async def test_changes(threshold: int, seen: list[Health], expected: list[Health]) -> None:
    """As many failures in a row as the readiness says make an app not ready, one success ready."""
    script = iter(seen)

    async def scripted() -> Health:
        try:
            return next(script)
        except StopIteration:
            raise EOFError from None

    readiness = Readiness(period=timedelta(0), failure_threshold=threshold)
    found: list[Health] = []

    async def follow() -> None:
        async for each in changes(scripted, readiness):
            found.append(each)  # noqa: PERF401 - it ends with an error

    with pytest.raises(EOFError):
        await follow()
    assert found == expected
