"""What outlives the decision on one request: upgrades, streams, and long answers."""

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.e2e.conformance.app import FIRST_PIECE, LAST_PIECE, SOCKET, STREAM
from tests.e2e.conformance.case import (
    ALLOWED,
    CUT,
    FORBIDDEN,
    UNAUTHENTICATED,
    UPGRADED,
    Answer,
    Case,
    Exchange,
    Expected,
    Seen,
    answer,
)
from tests.e2e.conformance.http1 import Http1, get, http1, message
from tests.e2e.conformance.http2 import Continuations, Data, Headers, Http2, RapidResets, request
from tests.e2e.conformance.responses import Responses
from tests.e2e.conformance.rows import accepted, refused
from tests.e2e.conformance.target import FLEETING, Target, Tokens
from tests.e2e.conformance.template import fill
from tests.e2e.support.raw_http import TIMEOUT, Connection, exchange

_BEARER: Final = "Authorization: Bearer <token>"
_UPGRADE: Final = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
_REVOKED: Final = "docs/security-model.md, 1"
_FLOOD: Final = "CVE-2024-27919; CVE-2024-30255"
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
        f"GET {SOCKET} HTTP/1.1", "Host: <mine>", "Authorization: Bearer <fleeting>", *_UPGRADE
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
            again = fleeting.asks(SOCKET, *_UPGRADE)
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


_OTHER_UPGRADE: Final = "RFC 9110 §7.8"

REFUSED: Final[dict[str, tuple[Exchange, Expected, str, str]]] = {
    "websocket-without-a-token": (
        get(*_UPGRADE, target=SOCKET),
        UNAUTHENTICATED,
        "An upgrade is a request like any other.",
        "RFC 6455 §4.2.2",
    ),
    "websocket-of-another-app": (
        get(_BEARER, *_UPGRADE, target=SOCKET, host="<other>"),
        FORBIDDEN,
        "An upgrade is a request like any other.",
        "RFC 6455 §4.2.2",
    ),
    "websocket-with-a-dead-token": (
        get("Authorization: Bearer <dead>", *_UPGRADE, target=SOCKET),
        UNAUTHENTICATED,
        "A revoked token opens no WebSocket.",
        _REVOKED,
    ),
    "websocket-under-the-prefix": (
        get(_BEARER, *_UPGRADE, target="/admin/socket", host="<guarded>"),
        FORBIDDEN,
        "The path of an upgrade counts.",
        "RFC 6455 §4.2.2",
    ),
    "websocket-and-a-body-without-a-token": (
        http1("POST / HTTP/1.1", "Host: <mine>", *_UPGRADE, "Content-Length: 4", body="body"),
        UNAUTHENTICATED,
        "Nothing of an upgrade that is refused goes further.",
        "RFC 6455 §4.1",
    ),
    **{
        f"upgrade-to-{name}": (
            get(_BEARER, "Connection: Upgrade", f"Upgrade: {protocol}"),
            answer(403, 404),
            "After an upgrade nobody decides any more: only WebSocket, which has a longest duration, may.",
            _OTHER_UPGRADE,
        )
        for name, protocol in {
            "tcp": "tcp",
            "connect-udp": "connect-udp",
            "two-protocols": "websocket, other",
            "something-like-h2c": "h2c-other",
            "something-like-websocket": "websockets",
        }.items()
    },
    "h2c-without-a-token": (
        get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
        UNAUTHENTICATED,
        "An upgrade to h2c is no way around the check.",
        "RFC 9113 §3.1",
    ),
    "upload-that-waits": (
        http1("POST / HTTP/1.1", "Host: <mine>", "Expect: 100-continue", "Content-Length: 1000000"),
        UNAUTHENTICATED,
        "Nobody uploads a megabyte to be refused.",
        "RFC 9110 §10.1.1",
    ),
    "upload-that-is-not-finished": (
        http1("POST / HTTP/1.1", "Host: <mine>", "Content-Length: 1000000", body="<times 1000 a>"),
        UNAUTHENTICATED,
        "A request without a token is refused before its body is there.",
        "RFC 9110 §15.5.2",
    ),
    "chunks-that-do-not-end": (
        http1("POST / HTTP/1.1", "Host: <mine>", "Transfer-Encoding: chunked", body="4\r\nbody\r\n"),
        UNAUTHENTICATED,
        "A request without a token is refused before its body is there.",
        "RFC 9110 §15.5.2",
    ),
    "http2-rapid-reset": (
        Http2((RapidResets(fields=request(without="authorization"), count=2000),)),
        answer(None),
        "Who takes back every request is cut off.",
        "CVE-2023-44487",
    ),
    "http2-continuation-flood": (
        Http2(
            (
                Headers(fields=request(), end_headers=False),
                Continuations(fields=(("x-flood", "<times 8000 a>"),), count=2000),
            )
        ),
        answer(None),
        "Headers that do not end are cut off at the limit, not kept.",
        _FLOOD,
    ),
    "http2-continuation-flood-small": (
        Http2(
            (
                Headers(fields=request(), end_headers=False),
                Continuations(fields=(("x", ""),), count=20_000),
            )
        ),
        answer(None),
        "Headers that do not end are cut off, however small they are.",
        _FLOOD,
    ),
    "http2-continuation-flood-empty": (
        Http2(
            (
                Headers(fields=request(), end_headers=False),
                Continuations(fields=(), count=20_000),
            )
        ),
        answer(None),
        "Frames with nothing in them are cut off, too.",
        "CVE-2024-30255; CVE-2019-9518",
    ),
}
"""What opens nothing."""

ACCEPTED: Final[dict[str, tuple[Exchange, Seen, str, str]]] = {
    "h2c": (
        get(
            _BEARER,
            "Connection: Upgrade, HTTP2-Settings",
            "Upgrade: h2c",
            "HTTP2-Settings: AAMAAABkAAQAAP__",
        ),
        Seen(headers={"upgrade": (), "http2-settings": ()}),
        "An upgrade to h2c, which would carry requests that nobody checks, is not offered to the app.",
        "RFC 9113 §3.1",
    ),
    "trailers": (
        http1(
            "POST / HTTP/1.1",
            "Host: <mine>",
            _BEARER,
            "Transfer-Encoding: chunked",
            body=message(
                *("4", "body", "0"), "Authorization: Bearer <stranger>", "Host: <other>", "Content-Length: 9"
            ),
        ),
        Seen(method="POST", body="body", headers={"authorization": ()}),
        "Trailers are no headers: no credential, no host, no length.",
        "RFC 9110 §6.5.1",
    ),
}
"""What is let in as the plain request that it is."""


def _cases() -> Iterator[Case]:
    yield from refused("upgrade/refused", REFUSED)
    yield from accepted("upgrade/plain", ACCEPTED)
    yield Case(
        name="upgrade/http2-trailers",
        rule="Trailers are no headers over HTTP/2 either: no credential, no host, no length.",
        source="RFC 9113 §8.1",
        exchange=Http2(
            (
                Headers(fields=request(method="POST"), end_stream=False),
                Data(body="body", end_stream=False),
                Headers(fields=(("authorization", "Bearer <stranger>"), ("host", "<other>"))),
            )
        ),
        answers=(ALLOWED,),
        seen=(Seen(method="POST", body="body", headers={"authorization": ()}),),
    )
    yield Case(
        name="upgrade/h2c-and-then-frames",
        rule="Frames behind an upgrade to h2c that was not made are no requests.",
        source="RFC 9113 §3.1",
        exchange=Http1(
            (
                message(
                    "GET / HTTP/1.1",
                    "Host: <mine>",
                    _BEARER,
                    "Connection: Upgrade, HTTP2-Settings",
                    "Upgrade: h2c",
                    "HTTP2-Settings: AAMAAABkAAQAAP__",
                ),
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
            )
        ),
        answers=(ALLOWED, answer(400, None)),
        seen=(Seen(),),
    )
    yield Case(
        name="upgrade/that-the-app-does-not-make",
        rule="When the app answers an upgrade with 200, what follows is the next request, not a tunnel.",
        source="CVE-2024-23326",
        exchange=Http1(
            (
                message("GET /plain HTTP/1.1", "Host: <mine>", _BEARER, *_UPGRADE),
                message("GET /smuggled HTTP/1.1", "Host: <mine>"),
            )
        ),
        answers=(ALLOWED, answer(401, None)),
        seen=(Seen(target="/plain"),),
    )
    yield Case(
        name="upgrade/revoked-websocket",
        rule="A revoked token opens no WebSocket from then on, and one that is open ends within its bound.",
        source=_REVOKED,
        exchange=RevokedSocket(),
        answers=(UPGRADED, UNAUTHENTICATED, answer(None)),
        seen=(Seen(target=SOCKET, by=FLEETING),),
    )
    yield Case(
        name="upgrade/revoked-stream",
        rule="A revoked token opens nothing from then on; an answer that is under way goes on to its end.",
        source=_REVOKED,
        exchange=RevokedStream(),
        answers=(ALLOWED, UNAUTHENTICATED),
        seen=(Seen(target=STREAM, by=FLEETING),),
    )


CASES: Final = tuple(_cases())
