"""Requests over HTTP/1.1, as bytes."""

import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tests.e2e.conformance.case import CUT, Answer
from tests.e2e.conformance.responses import Responses
from tests.e2e.conformance.target import Target
from tests.e2e.conformance.template import fill, names_in
from tests.e2e.support.raw_http import Connection

_UNASKED_SECONDS: Final = 2.0
"""How long a gateway may take to notice that the client has nothing more to say."""


@dataclass(frozen=True, slots=True)
class Http1:
    """Messages on one connection, each sent when the one before it has been answered."""

    messages: tuple[str, ...]

    def text(self) -> str:
        return "\n⋯\n".join(_text(message) for message in self.messages)

    def needs(self) -> frozenset[str]:
        return names_in("".join(self.messages))

    def perform(self, target: Target, *, answers: int) -> list[Answer]:
        values = target.values()
        to_send = [fill(message, values).encode("latin-1") for message in self.messages]
        found: list[Answer] = []
        with Connection(target.address) as connection, Responses(connection.socket) as responses:
            while to_send or len(found) < answers:
                # The answer may come before all is sent, and the connection be closed for what is missing.
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.send(to_send.pop(0) if to_send else b"")
                found.append(responses.next())
            # What else comes, came unasked: the answer to a smuggled request would.
            with suppress(OSError):
                connection.socket.shutdown(socket.SHUT_WR)
            connection.socket.settimeout(_UNASKED_SECONDS)
            with suppress(TimeoutError):
                found += iter(responses.next, CUT)
        return found


def message(*lines: str, body: str = "") -> str:
    """A message of these lines."""
    return "\r\n".join([*lines, "", body])


def http1(*lines: str, body: str = "") -> Http1:
    """One message of these lines on a connection of its own."""
    return Http1((message(*lines, body=body),))


def get(*headers: str, target: str = "/", host: str = "<mine>") -> Http1:
    """A GET."""
    return http1(f"GET {target} HTTP/1.1", f"Host: {host}", *headers)


def _text(sent: str) -> str:
    """A message, without the empty line that ends it when nothing follows."""
    head, end, body = sent.partition("\r\n\r\n")
    return head + end + body if body else head
