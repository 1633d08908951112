"""The port that Prometheus scrapes: an HTTP server that answers GET /metrics, and refuses the rest.

It lives on the event loop of its process, beside what it shows, and so needs no locks. It is small on
purpose: whoever reaches the port can hold a few connections for a few seconds, and have the process write
down its numbers. Let Prometheus alone reach it.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Final

_log = logging.getLogger(__name__)

PATH: Final = "/metrics"

_CONNECTIONS: Final = 16
"""How many are served at a time; the next ones are closed at once."""
_SECONDS: Final = 5.0
"""How long a scraper may take to ask, and again to read."""
_HEAD_BYTES: Final = 8192
_TEXT: Final = "text/plain; charset=utf-8"
_METRICS: Final = "text/plain; version=0.0.4; charset=utf-8"
"""The format that every Prometheus reads."""


class MetricsListenError(Exception):
    """The port of the metrics cannot be listened on; the text says why, and what to set."""


@asynccontextmanager
async def serving_metrics(render: Callable[[], bytes], *, address: str, port: int) -> AsyncIterator[int]:
    """Serve what *render* answers inside this block, which is given the port; with 0 any that is free.

    Raises `MetricsListenError`.
    """
    endpoint = _Endpoint(render)
    server = await asyncio.start_server(endpoint.serve, sock=_bound(address, port), limit=_HEAD_BYTES)
    try:
        listening: int = server.sockets[0].getsockname()[1]
        _log.info("Metrics on %s, port %s", address, listening)
        yield listening
    finally:
        server.close()
        endpoint.close()
        await server.wait_closed()


def free_port(address: str, port: int) -> int:
    """*port* where it can be listened on, or any that is free for 0; raises `MetricsListenError`."""
    with _bound(address, port) as probe:
        found: int = probe.getsockname()[1]
        return found


def _bound(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        # What an earlier process left in TIME_WAIT is no reason to fail; a live listener still is one.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
    except OSError as error:
        listener.close()
        advice = (
            "set DOORWARD_METRICS_ADDRESS to an address of this machine"
            if error.errno == errno.EADDRNOTAVAIL
            else "set DOORWARD_METRICS_PORT to another port, or to 0 for a free one"
        )
        raise MetricsListenError(
            f"cannot listen for metrics on {address}, port {port}: {error.strerror}; {advice}"
        ) from None
    return listener


class _Endpoint:
    """Answers one request a connection."""

    def __init__(self, render: Callable[[], bytes]) -> None:
        self._render = render
        self._open: set[asyncio.StreamWriter] = set()

    def close(self) -> None:
        """Break off what is open."""
        for writer in self._open:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        if len(self._open) >= _CONNECTIONS:
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            # Whoever is slow or has gone has no answer to get.
            with suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(_SECONDS):
                    answer = await self._answer(reader)
                async with asyncio.timeout(_SECONDS):
                    writer.write(answer)
                    await writer.drain()
                    writer.close()
                    await writer.wait_closed()
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return _response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        except asyncio.IncompleteReadError:
            return b""
        match head.split(b"\r\n", 1)[0].split(b" "):
            case [method, target, b"HTTP/1.1" | b"HTTP/1.0"]:
                if target.split(b"?", 1)[0] != PATH.encode():
                    return _response(HTTPStatus.NOT_FOUND)
                if method != b"GET":
                    return _response(HTTPStatus.METHOD_NOT_ALLOWED, allow="GET")
            case _:
                return _response(HTTPStatus.BAD_REQUEST)
        try:
            return _response(HTTPStatus.OK, self._render(), kind=_METRICS)
        except Exception:  # noqa: BLE001 - a defect in what is shown must not end the process that shows it
            _log.exception("The metrics could not be collected")
            return _response(HTTPStatus.INTERNAL_SERVER_ERROR)


def _response(status: HTTPStatus, body: bytes | None = None, *, kind: str = _TEXT, allow: str = "") -> bytes:
    if body is None:
        body = f"{status.phrase}\n".encode()
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
        "Connection: close",
    ]
    if allow:
        lines.append(f"Allow: {allow}")
    return "\r\n".join((*lines, "", "")).encode("ascii") + body
