"""Exchanges in which a token is revoked while what it opened is still there."""

import socket
import time
from dataclasses import dataclass
from typing import Final

from tests.e2e.conformance.app import FIRST_PIECE, LAST_PIECE, SOCKET, STREAM
from tests.e2e.conformance.case import CUT, Answer
from tests.e2e.conformance.http1 import message
from tests.e2e.conformance.responses import Responses
from tests.e2e.conformance.target import FLEETING, Target, Tokens
from tests.e2e.conformance.template import fill
from tests.e2e.support.raw_http import TIMEOUT, Connection, exchange

UPGRADE: Final = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
"""Headers that ask for a WebSocket."""

_GRACE: Final = 5.0
"""Seconds that a busy machine may be late."""


@dataclass(frozen=True, slots=True)
class _Fleeting:
    """A secret of its own for one case."""

    tokens: Tokens
    secret: str
    address: tuple[str, int]
    values: dict[str, str]

    @classmethod
    def minted(cls, target: Target) -> "_Fleeting":
        assert target.tokens is not None
        secret = target.tokens.mint().secret
        return cls(target.tokens, secret, target.address, {**target.values(), FLEETING: secret})

    def send(self, connection: Connection, text: str) -> None:
        connection.send(fill(text, self.values).encode("latin-1"))

    def asks(self, target: str, *headers: str) -> Answer:
        """The answer to a request of its own."""
        pairs = [tuple(header.split(": ", 1)) for header in headers]
        fields = [("Authorization", f"Bearer {self.secret}"), *((name, value) for name, value in pairs)]
        found = exchange(self.address, "GET", target, host=self.values["mine"], headers=fields)
        return Answer(found.status, found.body)


@dataclass(frozen=True, slots=True)
class RevokedSocket:
    """A WebSocket whose token is revoked while it is open."""

    opening: str = message(
        f"GET {SOCKET} HTTP/1.1", "Host: <mine>", "Authorization: Bearer <fleeting>", *UPGRADE
    )

    def text(self) -> str:
        return (
            f"{self.opening}ping\n⋯ <fleeting> is revoked\n{self.opening}"
            "⋯ and on the first connection, until it ends\nping"
        )

    def needs(self) -> frozenset[str]:
        return frozenset({"mine", FLEETING})

    def perform(self, target: Target, *, answers: int) -> list[Answer]:
        """The answers to both upgrades, and `CUT` when the WebSocket has ended in time."""
        fleeting = _Fleeting.minted(target)
        with Connection(target.address) as connection, Responses(connection.socket) as responses:
            opened_by = time.monotonic()
            fleeting.send(connection, self.opening)
            opened = responses.next()
            connection.send(b"ping")
            if responses.exactly(4) != b"ping":
                return [opened]
            fleeting.tokens.revoke(fleeting.secret)
            again = fleeting.asks(SOCKET, *UPGRADE)
            ended = _ends(connection.socket, by=opened_by + target.websocket_seconds + _GRACE)
        return [opened, again, *([CUT] if ended else [])]


@dataclass(frozen=True, slots=True)
class RevokedStream:
    """A long answer whose token is revoked while it runs."""

    opening: str = message(f"GET {STREAM} HTTP/1.1", "Host: <mine>", "Authorization: Bearer <fleeting>")

    def text(self) -> str:
        return f"{self.opening}⋯ half of the answer is there, <fleeting> is revoked\n{self.opening}"

    def needs(self) -> frozenset[str]:
        return frozenset({"mine", FLEETING})

    def perform(self, target: Target, *, answers: int) -> list[Answer]:
        """The answer that was under way, and the one to a request after the revocation."""
        fleeting, app = _Fleeting.minted(target), target.apps["mine"].app
        app.go_on.clear()
        with Connection(target.address) as connection, Responses(connection.socket) as responses:
            fleeting.send(connection, self.opening)
            head = responses.head()
            if head is None or responses.exactly(len(FIRST_PIECE)) != FIRST_PIECE:
                return [CUT]
            fleeting.tokens.revoke(fleeting.secret)
            again = fleeting.asks(STREAM)
            app.go_on.set()
            whole = responses.exactly(len(LAST_PIECE)) == LAST_PIECE
        return [Answer(head[0] if whole else None), again]


def _ends(connection: socket.socket, *, by: float) -> bool:
    """Whether a connection that is kept busy ends before a time of the monotonic clock."""
    connection.settimeout(TIMEOUT)
    try:
        while time.monotonic() < by:
            connection.sendall(b"ping")
            if not connection.recv(4):
                return True
    except OSError:
        return True
    return False
