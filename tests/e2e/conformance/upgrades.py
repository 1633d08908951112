"""What outlives the decision on one request, or tries to: upgrades, tunnels, and long answers."""

from collections.abc import Iterator
from typing import Final

from tests.e2e.conformance.app import SOCKET, STREAM
from tests.e2e.conformance.case import (
    ALLOWED,
    FORBIDDEN,
    UNAUTHENTICATED,
    UPGRADED,
    Case,
    Exchange,
    Expected,
    Seen,
    answer,
)
from tests.e2e.conformance.http1 import Http1, get, http1, message
from tests.e2e.conformance.http2 import Data, Headers, Http2, request
from tests.e2e.conformance.revoked import UPGRADE, RevokedSocket, RevokedStream
from tests.e2e.conformance.rows import accepted, refused
from tests.e2e.conformance.target import FLEETING

_BEARER: Final = "Authorization: Bearer <token>"
_REVOKED: Final = "docs/security-model.md, 1"
_OTHER_UPGRADE: Final = "RFC 9110 §7.8"
_NO_TUNNEL: Final = answer(400, 403, 404, None)
_TUNNEL: Final = "RFC 9110 §9.3.6; CVE-2026-73547"

REFUSED: Final[dict[str, tuple[Exchange, Expected, str, str]]] = {
    "websocket-without-a-token": (
        get(*UPGRADE, target=SOCKET),
        UNAUTHENTICATED,
        "An upgrade is a request like any other.",
        "RFC 6455 §4.2.2",
    ),
    "websocket-of-another-app": (
        get(_BEARER, *UPGRADE, target=SOCKET, host="<other>"),
        FORBIDDEN,
        "An upgrade is a request like any other.",
        "RFC 6455 §4.2.2",
    ),
    "websocket-with-a-dead-token": (
        get("Authorization: Bearer <dead>", *UPGRADE, target=SOCKET),
        UNAUTHENTICATED,
        "A revoked token opens no WebSocket.",
        _REVOKED,
    ),
    "websocket-under-the-prefix": (
        get(_BEARER, *UPGRADE, target="/admin/socket", host="<guarded>"),
        FORBIDDEN,
        "The path of an upgrade counts.",
        "RFC 6455 §4.2.2",
    ),
    "websocket-and-a-body-without-a-token": (
        http1("POST / HTTP/1.1", "Host: <mine>", *UPGRADE, "Content-Length: 4", body="body"),
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


def _connects() -> Iterator[tuple[str, Exchange]]:
    for name, target in (("", "<mine>"), ("-elsewhere", "127.0.0.1:22"), ("-with-a-path", "<mine>/x")):
        for host in ("<mine>", "localhost"):
            at = "" if host == "<mine>" else "-at-another-host"
            yield f"connect{name}{at}", http1(f"CONNECT {target} HTTP/1.1", f"Host: {host}", _BEARER)
    yield "connect-without-a-token", http1("CONNECT <mine> HTTP/1.1", "Host: <mine>")
    yield "connect-a-public-app", http1("CONNECT <public> HTTP/1.1", "Host: <public>")
    yield (
        "connect-over-http2-without-a-path",
        Http2(
            (
                Headers(
                    fields=(
                        (":method", "CONNECT"),
                        (":authority", "<guarded>"),
                        ("authorization", "Bearer <token>"),
                    ),
                    end_stream=False,
                ),
            )
        ),
    )
    for protocol in ("websocket", "connect-udp", "connect-ip"):
        fields = request(method="CONNECT", protocol=protocol)
        yield f"connect-over-http2-{protocol}", Http2((Headers(fields=fields, end_stream=False),))


def _cases() -> Iterator[Case]:
    yield from refused("upgrade/refused", REFUSED)
    yield from refused(
        "upgrade/tunnel",
        {
            name: (
                exchange,
                _NO_TUNNEL,
                "The gateway is no tunnel, token or not.",
                _TUNNEL,
            )
            for name, exchange in _connects()
        },
    )
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
                message("GET /plain HTTP/1.1", "Host: <mine>", _BEARER, *UPGRADE),
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
