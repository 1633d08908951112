"""Apps to put behind Envoy. They keep every byte that reached them."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from socketserver import BaseRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import Self

from tests.e2e.support.raw_http import TIMEOUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as the app got it."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
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

    def __init__(self, respond: Responder = hello, *, host: str = "127.0.0.1") -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.respond = respond
        app = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                app.connections += 1
                self.request.settimeout(TIMEOUT)
                try:
                    while app.serve_one(self.request):
                        pass
                except OSError:
                    return

        class Server(ThreadingTCPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False

        self._server = Server((host, 0), Handler)
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
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(TIMEOUT)

    def serve_one(self, client: socket.socket) -> bool:
        """Serve one request; false when the connection is over."""
        head = _read_until(client, b"\r\n\r\n")
        if not head:
            return False
        first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = [(name, value.strip(" ")) for name, _, value in (line.partition(":") for line in lines)]
        received = Received(
            method=method, target=target, headers=headers, body=_read_body(client, headers), socket=client
        )
        if target == PROBE:
            client.sendall(HELLO)
            return True
        self.requests.append(received)
        answer = self.respond(received)
        if answer is not None:
            client.sendall(answer)
        return answer is not None


def _read_until(client: socket.socket, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end):
        byte = client.recv(1)
        if not byte:
            return b""
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


def _read_body(client: socket.socket, headers: list[tuple[str, str]]) -> bytes:
    fields = {name.lower(): value for name, value in headers}
    if fields.get("transfer-encoding", "").lower() != "chunked":
        return _read_exactly(client, int(fields.get("content-length", "0")))
    body = b""
    while size := int(_read_until(client, b"\r\n").split(b";")[0], 16):
        body += _read_exactly(client, size)
        _read_until(client, b"\r\n")
    _read_until(client, b"\r\n")
    return body
