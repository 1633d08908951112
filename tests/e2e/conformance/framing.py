"""Where a request begins and ends: in one place, or nowhere."""

from collections.abc import Iterator
from typing import Final

from tests.e2e.conformance.case import (
    ALLOWED,
    UNAUTHENTICATED,
    UNREADABLE,
    Case,
    Exchange,
    Expected,
    Seen,
    answer,
)
from tests.e2e.conformance.http1 import Http1, get, http1, message
from tests.e2e.conformance.http2 import Data, Headers, Http2, request
from tests.e2e.conformance.rows import accepted, refused

_BEARER: Final = "Authorization: Bearer <token>"
_LENGTH: Final = "RFC 9112 §6.3"
_CODINGS: Final = "RFC 9112 §6.1"
_CHUNKS: Final = "RFC 9112 §7.1"
_DOWNGRADE: Final = "RFC 9113 §8.2.1; CVE-2023-27491"

SMUGGLED: Final = message("GET /smuggled HTTP/1.1", "Host: <mine>", _BEARER)
"""A request that would be let in if it were seen as one of its own."""

TWO_ENDS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "length-then-coding": (("Content-Length: 4", "Transfer-Encoding: chunked"), _LENGTH),
    "coding-then-length": (("Transfer-Encoding: chunked", "Content-Length: 4"), _LENGTH),
    "length-of-nothing-and-coding": (("Content-Length: 0", "Transfer-Encoding: chunked"), _LENGTH),
    "two-lengths": (("Content-Length: 4", "Content-Length: 5"), _LENGTH),
    "two-lengths-in-one": (("Content-Length: 4, 5",), _LENGTH),
    "the-same-length-twice": (("Content-Length: 4", "Content-Length: 4"), "RFC 9110 §8.6"),
    "length-negative": (("Content-Length: -1",), "RFC 9110 §8.6"),
    "length-with-a-sign": (("Content-Length: +4",), "RFC 9110 §8.6"),
    "length-in-hexadecimal": (("Content-Length: 0x4",), "RFC 9110 §8.6"),
    "length-with-a-space-inside": (("Content-Length: 4 4",), "RFC 9110 §8.6"),
    "length-with-a-fraction": (("Content-Length: 4.0",), "RFC 9110 §8.6"),
    "length-empty": (("Content-Length:",), "RFC 9110 §8.6"),
    "length-too-large-to-count": (("Content-Length: 18446744073709551620",), "RFC 9110 §8.6"),
    "length-before-a-space": (("Content-Length : 4",), "RFC 9112 §5.1"),
    "length-on-a-folded-line": (("X-A: b", " Content-Length: 4", "Transfer-Encoding: x"), "RFC 9112 §5.2"),
    "coding-unknown": (("Transfer-Encoding: xchunked",), _CODINGS),
    "coding-unknown-behind": (("Transfer-Encoding: chunkedx",), _CODINGS),
    "coding-identity": (("Transfer-Encoding: identity",), _CODINGS),
    "coding-then-identity": (("Transfer-Encoding: chunked, identity",), _CODINGS),
    "identity-then-coding": (("Transfer-Encoding: identity, chunked",), _CODINGS),
    "coding-twice": (("Transfer-Encoding: chunked, chunked",), _CODINGS),
    "coding-in-two-headers": (("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), _CODINGS),
    "coding-in-two-headers-reversed": (("Transfer-Encoding: x", "Transfer-Encoding: chunked"), _CODINGS),
    "coding-in-quotes": (('Transfer-Encoding: "chunked"',), _CODINGS),
    "coding-with-a-parameter": (("Transfer-Encoding: chunked;q=1",), _CODINGS),
    "coding-behind-a-vertical-tab": (("Transfer-Encoding: \x0bchunked",), _CODINGS),
    "coding-behind-a-nul": (("Transfer-Encoding: \x00chunked",), _CODINGS),
    "coding-before-a-space": (("Transfer-Encoding : chunked", "Content-Length: 4"), "RFC 9112 §5.1"),
    "coding-on-a-folded-line": (("Transfer-Encoding:", " chunked", "Content-Length: 4"), "RFC 9112 §5.2"),
    "coding-behind-a-bare-cr": (("X-A: b\rTransfer-Encoding: chunked", "Content-Length: x"), "RFC 9112 §2.2"),
    "coding-behind-a-bare-lf": (("X-A: b\nTransfer-Encoding: chunked", "Content-Length: 4"), "RFC 9112 §2.2"),
}
"""Framings in which two parsers could see the end of a request in two places."""

MALFORMED: Final[dict[str, str]] = {
    "nul": "X-A: a\x00b",
    "space-before-the-colon": "X-A : b",
    "space-in-the-name": "X A: b",
    "no-colon": "X-A",
    "no-name": ": b",
    "control-in-the-name": "X-\x01A: b",
    "bracket-in-the-name": "X(A): b",
}
"""Headers that an app could read as another one."""

CHUNKS: Final[dict[str, str]] = {
    "no-number": "x\r\nbody\r\n0\r\n\r\n",
    "negative": "-4\r\nbody\r\n0\r\n\r\n",
    "with-a-prefix": "0x4\r\nbody\r\n0\r\n\r\n",
    "too-large-to-count": "10000000000000004\r\nbody\r\n0\r\n\r\n",
    "longer-than-said": "2\r\nbody\r\n0\r\n\r\n",
    "extension-with-a-line": "4;x\nbody\r\n0\r\n\r\n",
    "without-an-end": "4\r\nbodyXX0\r\n\r\n",
    "bare-lf": "4\nbody\n0\n\n",
}
"""Bodies in chunks that are none. A proxy sends on what it has before it sees that."""

DOWNGRADED: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "transfer-encoding": (("transfer-encoding", "chunked"),),
    "connection": (("connection", "<identity>-role"),),
    "keep-alive": (("keep-alive", "1"), ("proxy-connection", "x")),
    "upgrade": (("upgrade", "h2c"),),
    "upper-case": (("X-Upper", "a"),),
    "a-line-in-a-value": (("x-break", "a\r\n<identity>-role: ADMIN"),),
    "a-request-in-a-value": (("x-break", "a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: <mine>"),),
    "a-line-in-a-name": (("x-break: a\r\n<identity>-role", "ADMIN"),),
    "a-cr-in-a-value": (("x-break", "a\rb"),),
    "an-lf-in-a-value": (("x-break", "a\nb"),),
    "nul": (("x-nul", "a\x00b"),),
    "space-in-a-name": (("x y", "a"),),
    "colon-in-a-name": (("x:y", "a"),),
    "no-name": (("", "a"),),
    "pseudo-header-behind": ((":path", "/other"),),
    "pseudo-header-unknown": ((":unknown", "x"),),
    "lengths-that-differ": (("content-length", "0"), ("content-length", "5")),
    "length-of-letters": (("content-length", "x"),),
}
"""HTTP/2 fields that would be another request, or another header, once they are written as HTTP/1.1."""

PSEUDO: Final[dict[str, dict[str, str]]] = {
    "method-with-a-line": {"method": "GET / HTTP/1.1\r\nHost: <other>\r\nX-A:"},
    "method-with-a-space": {"method": "GET /smuggled"},
    "method-empty": {"method": ""},
    "path-with-a-line": {"path": "/ HTTP/1.1\r\n<identity>-role: ADMIN\r\nX-A:"},
    "path-with-a-space": {"path": "/ HTTP/1.1"},
    "authority-with-a-line": {"authority": "<mine>\r\n<identity>-role: ADMIN"},
    "scheme-with-a-line": {"scheme": "http://x/ HTTP/1.1\r\nX-A: "},
}
"""Pseudo-headers that would be more than one line of HTTP/1.1."""


def _post(*headers: str, body: str) -> Http1:
    return http1("POST / HTTP/1.1", "Host: <mine>", _BEARER, *headers, body=body)


def _over_http2(*more: tuple[str, str], without: str = "", **pseudo: str) -> Http2:
    return Http2((Headers(fields=request(*more, without=without, **pseudo)),))


_BROKEN: Final = answer(400, None)

TOO_MUCH: Final[dict[str, tuple[Exchange, Expected, str, str]]] = {
    "headers-of-66-kib": (
        get(_BEARER, *(f"X-{number}: <times 6000 a>" for number in range(11))),
        answer(431),
        "Headers have a limit of 60 KiB in all.",
        "RFC 6585 §5",
    ),
    "250-headers": (
        get(_BEARER, *(f"X-{number}: a" for number in range(250))),
        answer(431),
        "There are at most 200 headers.",
        "RFC 6585 §5",
    ),
    "no-http": (http1("SSH-2.0-x"), UNREADABLE, "What is not HTTP is no request.", "RFC 9112 §3"),
    "tls": (
        Http1(("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",)),
        _BROKEN,
        "TLS where none is spoken is no request.",
        "RFC 9112 §3",
    ),
    "zeros": (Http1(("<times 4096 \x00>\r\n\r\n",)), _BROKEN, "Zeros are no request.", "RFC 9112 §3"),
    "http-0.9": (
        Http1(("GET /\r\n\r\n",)),
        answer(400, 426, None),
        "HTTP/0.9 has no headers, so no credential.",
        "RFC 9112 §3",
    ),
    "http-1.0": (
        http1("GET / HTTP/1.0", "Host: <mine>", _BEARER),
        answer(426),
        "HTTP/1.0 knows no Host.",
        "RFC 9110 §15.5.22",
    ),
    "http-1.0-kept-alive": (
        http1("GET / HTTP/1.0", "Host: <mine>", "Connection: keep-alive", _BEARER),
        answer(426),
        "HTTP/1.0 is refused, whatever it asks for.",
        "RFC 9110 §15.5.22",
    ),
    "http-3.0-in-a-line": (
        http1("GET / HTTP/3.0", "Host: <mine>", _BEARER),
        answer(400, 426, 505, None),
        "There is no such version on this wire.",
        "RFC 9112 §2.3",
    ),
}
"""What is more, or something else, than a request of HTTP/1.1."""


def _cases() -> Iterator[Case]:
    one_end = "A request whose end two parsers could see in two places goes nowhere."
    yield from refused(
        "framing/two-ends",
        {
            name: (_post(*headers, body="0\r\n\r\n" + SMUGGLED), answer(400, 501), one_end, source)
            for name, (headers, source) in TWO_ENDS.items()
        },
    )
    yield from refused(
        "framing/two-ends-without-a-token",
        {
            name: (
                http1("POST / HTTP/1.1", "Host: <public>", *TWO_ENDS[name][0], body="0\r\n\r\n" + SMUGGLED),
                answer(400, 501),
                "Nothing is smuggled past the check by way of a public app.",
                TWO_ENDS[name][1],
            )
            for name in ("length-then-coding", "coding-then-length", "two-lengths", "coding-unknown")
        },
    )
    yield from refused(
        "framing/malformed-header",
        {
            name: (
                get(_BEARER, header),
                UNREADABLE,
                "A header that an app could read as another one is refused.",
                "RFC 9110 §5.5; CVE-2019-9900",
            )
            for name, header in MALFORMED.items()
        },
    )
    yield from refused(
        "framing/chunks-without-a-token",
        {
            name: (
                http1("POST / HTTP/1.1", "Host: <mine>", "Transfer-Encoding: chunked", body=body),
                answer(400, 401),
                "Of a request without a token no app sees the head, whatever the body is.",
                _CHUNKS,
            )
            for name, body in CHUNKS.items()
        },
    )
    yield from refused("framing/no-request", TOO_MUCH)
    yield from refused(
        "framing/http2",
        {
            name: (
                _over_http2(*fields),
                _BROKEN,
                "What would be something else in HTTP/1.1 is refused in HTTP/2.",
                _DOWNGRADE,
            )
            for name, fields in DOWNGRADED.items()
        },
    )
    yield from refused(
        "framing/http2-pseudo-header",
        {
            name: (
                _over_http2(**pseudo),
                answer(400, 403, None),
                "A pseudo-header is part of one line.",
                _DOWNGRADE,
            )
            for name, pseudo in PSEUDO.items()
        },
    )
    yield from refused(
        "framing/http2-without",
        {
            missing: (
                _over_http2(without=missing),
                answer(400, 404, None),
                "Method, scheme and path are there, or it is no request.",
                "RFC 9113 §8.3.1",
            )
            for missing in ("method", "path", "scheme")
        },
    )
    for name, length in (("longer", "500"), ("shorter", "1")):
        yield Case(
            name=f"framing/http2-length-{name}-than-the-body",
            rule="A length that the body does not keep smuggles no request to an app that speaks HTTP/1.1.",
            source="RFC 9113 §8.1.1",
            exchange=Http2(
                (
                    Headers(fields=request(("content-length", length), method="POST"), end_stream=False),
                    Data(body="body"),
                )
            ),
            answers=(_BROKEN,),
            seen=(Seen(method="POST", body="body", cut=True),),
        )
    yield from accepted(
        "framing/one-end",
        {
            "a-request-in-a-body": (
                _post(f"Content-Length: {len('GET /x HTTP/1.1') + 4}", body="GET /x HTTP/1.1\r\n\r\n"),
                Seen(method="POST", body="GET /x HTTP/1.1\r\n\r\n"),
                "What looks like a request inside a body is a body.",
                _LENGTH,
            ),
            "a-request-in-a-chunk": (
                _post("Transfer-Encoding: chunked", body="13\r\nGET /x HTTP/1.1\r\n\r\n\r\n0\r\n\r\n"),
                Seen(method="POST", body="GET /x HTTP/1.1\r\n\r\n"),
                "What looks like a request inside a chunk is a body.",
                _CHUNKS,
            ),
            "a-body-of-a-get": (
                http1("GET / HTTP/1.1", "Host: <mine>", _BEARER, "Content-Length: 4", body="body"),
                Seen(body="body"),
                "A GET may have a body, and it is no other request.",
                "RFC 9110 §9.3.1",
            ),
            "coding-on-a-folded-line": (
                _post("X-A: b", " Transfer-Encoding: chunked", "Content-Length: 4", body="body"),
                Seen(method="POST", body="body", headers={"x-a": ("b Transfer-Encoding: chunked",)}),
                "A folded line is part of the header before it, to the gateway and to the app.",
                "RFC 9112 §5.2",
            ),
            "coding-behind-a-tab": (
                _post("Transfer-Encoding:\tchunked", body="4\r\nbody\r\n0\r\n\r\n"),
                Seen(method="POST", body="body"),
                "White space before a value is none of it.",
                "RFC 9112 §5.1",
            ),
            "coding-in-upper-case": (
                _post("Transfer-Encoding: CHUNKED", body="4\r\nbody\r\n0\r\n\r\n"),
                Seen(method="POST", body="body"),
                "The case of a coding does not matter.",
                _CODINGS,
            ),
            "chunk-extensions": (
                _post("Transfer-Encoding: chunked", body='4;a=b;c="\\"d"\r\nbody\r\n0;e\r\n\r\n'),
                Seen(method="POST", body="body"),
                "Extensions of a chunk are none of the app's business.",
                "RFC 9112 §7.1.1",
            ),
        },
    )
    yield Case(
        name="framing/what-follows-a-body",
        rule="What follows a body is the next request, and needs a token of its own.",
        source=_LENGTH,
        exchange=Http1(
            (
                message("POST /1 HTTP/1.1", "Host: <mine>", _BEARER, "Content-Length: 4", body="body")
                + message("GET /smuggled HTTP/1.1", "Host: <mine>"),
            )
        ),
        answers=(ALLOWED, UNAUTHENTICATED),
        seen=(Seen(method="POST", target="/1", body="body"),),
    )
    yield Case(
        name="framing/what-follows-the-last-chunk",
        rule="What follows the last chunk is the next request, and needs a token of its own.",
        source=_CHUNKS,
        exchange=Http1(
            (
                message(
                    "POST /1 HTTP/1.1",
                    "Host: <mine>",
                    _BEARER,
                    "Transfer-Encoding: chunked",
                    body="4\r\nbody\r\n0\r\n\r\n",
                )
                + message("GET /smuggled HTTP/1.1", "Host: <mine>"),
            )
        ),
        answers=(ALLOWED, UNAUTHENTICATED),
        seen=(Seen(method="POST", target="/1", body="body"),),
    )


CASES: Final = tuple(_cases())
