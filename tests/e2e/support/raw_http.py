"""HTTP/1.1 as bytes: what a well-behaved client library would refuse to send, and sees no more of."""

import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from types import TracebackType
from typing import Self

TIMEOUT = 15.0
"""Seconds after which a test gives up on an answer."""

Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response as the client got it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


def request_bytes(
    method: str, target: str, *, host: str | None, headers: Headers = (), body: bytes | None = None
) -> bytes:
    """One request; a Content-Length is added when there is a body."""
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [] if host is None else [f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [] if body is None else [f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


class Connection:
    """A TCP connection to Envoy."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def head(self, method: str = "GET") -> HTTPResponse:
        """Read the head of a response; its body may be read piece by piece."""
        response = HTTPResponse(self.socket, method=method)
        response.begin()
        return response

    def answer(self, method: str = "GET") -> Answer:
        """Read a whole response."""
        with self.head(method) as response:
            return Answer(status=response.status, headers=response.getheaders(), body=response.read())

    def until_closed(self) -> bytes:
        """Read until the peer closes."""
        received = b""
        try:
            while data := self.socket.recv(65536):
                received += data
        except ConnectionResetError:
            pass
        return received


def exchange(
    address: tuple[str, int],
    method: str,
    target: str,
    *,
    host: str | None,
    headers: Headers | Mapping[str, str] = (),
    body: bytes | None = None,
) -> Answer:
    """Send one request on a connection of its own and read the answer."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    with Connection(address) as connection:
        connection.send(request_bytes(method, target, host=host, headers=pairs, body=body))
        return connection.answer(method)
