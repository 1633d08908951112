"""Apps to put behind Envoy. They keep every byte that reached them."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import Self

from tests.e2e.support.raw_http import TIMEOUT


@dataclass(slots=True, kw_only=True)
class Received:
    """A request as the app got it."""

    method: str
    target: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    """What has come of it."""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    """Those of a chunked body."""
    socket: socket.socket

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def names(self) -> set[str]:
        """The names of the headers, in lower case."""
        return {key.lower() for key, _ in self.headers}


Responder = Callable[[Received], bytes | None]
"""Answers a request: the bytes of the whole response, or None when it has written to the socket itself."""

PROBE = "/is-it-reached"
"""A path that is answered and not kept: a test asks for it until an app can be reached."""

HELLO = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!"


def hello(_: Received) -> bytes:
    """Answer every request alike."""
    return HELLO


class RecordingApp:
    """An HTTP/1.1 server of plain sockets that keeps the requests it saw."""

    def __init__(self, respond: Responder = hello, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.respond = respond
        self._open: set[socket.socket] = set()
        app = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                app.connections += 1
                self.request.settimeout(TIMEOUT)
                app._open.add(self.request)
                try:
                    while app.serve_one(self.request):
                        pass
                except OSError:
                    return
                finally:
                    app._open.discard(self.request)

        class Server(ThreadingTCPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False

        self._server = Server((host, port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def last(self) -> Received:
        """The newest request."""
        return self.requests[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, and end the connections that are kept alive."""
        self._server.shutdown()
        self._server.server_close()
        for client in list(self._open):
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        self._thread.join(TIMEOUT)

    def serve_one(self, client: socket.socket) -> bool:
        """Serve one request; false when the connection is over."""
        head = _read_until(client, b"\r\n\r\n")
        if not head:
            return False
        first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        words = first.split(" ", 2)
        if len(words) != 3 or not head.endswith(b"\r\n\r\n"):
            # Not a request, or not all of one. It did reach the app.
            self.requests.append(Received(method="", target=head.decode("latin-1"), socket=client))
            return False
        received = Received(method=words[0], target=words[1], headers=_fields(lines), socket=client)
        if received.target == PROBE:
            client.sendall(HELLO)
            return True
        self.requests.append(received)
        _read_body(client, received)
        answer = self.respond(received)
        if answer is not None:
            client.sendall(answer)
        return answer is not None


def _read_until(client: socket.socket, end: bytes) -> bytes:
    """What comes up to *end*, or up to the end of the connection."""
    data = b""
    while not data.endswith(end) and (byte := client.recv(1)):
        data += byte
    return data


def _read_exactly(client: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = client.recv(length - len(data))
        if not piece:
            raise ConnectionError("the body was cut off")
        data += piece
    return data


def _fields(lines: list[str]) -> list[tuple[str, str]]:
    return [(name, value.strip(" ")) for name, _, value in (line.partition(":") for line in lines)]


def _read_body(client: socket.socket, received: Received) -> None:
    fields = {name.lower(): value for name, value in received.headers}
    if fields.get("transfer-encoding", "").lower() != "chunked":
        received.body = _read_exactly(client, int(fields.get("content-length", "0")))
        return
    while size := int(_read_until(client, b"\r\n").split(b";")[0], 16):
        received.body += _read_exactly(client, size)
        _read_until(client, b"\r\n")
    while line := _read_until(client, b"\r\n").removesuffix(b"\r\n"):
        received.trailers += _fields([line.decode("latin-1")])
