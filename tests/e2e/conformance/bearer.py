"""A bearer token in odd company: spaces, control bytes, bytes that are not UTF-8, and very many of them."""

from collections.abc import Iterator
from typing import Final

from tests.e2e.conformance.case import UNAUTHENTICATED, UNREADABLE, Case, Exchange, Expected, Seen, answer
from tests.e2e.conformance.http1 import get
from tests.e2e.conformance.http2 import Headers, Http2
from tests.e2e.conformance.rows import accepted, refused

_BEARER: Final = "Authorization: Bearer <token>"
_SECRETS: Final = "docs/security-model.md, 3"
_SYNTAX: Final = "RFC 6750 §2.1; RFC 9110 §11.4"

REFUSED: Final[dict[str, tuple[Exchange, Expected, str, str]]] = {
    "and-a-tab": (
        get("Authorization: Bearer\t<token>"),
        UNREADABLE,
        "A tab is not the space between scheme and token.",
        _SYNTAX,
    ),
    "and-no-space": (get("Authorization: Bearer<token>"), UNREADABLE, "It wants a space.", _SYNTAX),
    "and-a-word-more": (
        get("Authorization: Bearer <token> x"),
        UNREADABLE,
        "Nothing follows a token.",
        _SYNTAX,
    ),
    "in-quotes": (
        get('Authorization: Bearer "<token>"'),
        UNREADABLE,
        "A token in quotes is none, and does not reach the app.",
        _SECRETS,
    ),
    "twice-in-one": (
        get("Authorization: Bearer Bearer <token>"),
        UNREADABLE,
        "The scheme stands there once.",
        _SYNTAX,
    ),
    "cut-short": (
        get("Authorization: Bearer dw_AAAAAAAAAAAA_AAAA"),
        UNREADABLE,
        "Half a token is said to be one.",
        "docs/decision.md",
    ),
    "upper-case": (
        get("Authorization: Bearer <upper <token>>"),
        UNAUTHENTICATED,
        "The case of a token counts.",
        _SYNTAX,
    ),
    "and-a-nul": (
        get("Authorization: Bearer \x00<token>"),
        UNREADABLE,
        "NUL is in no header.",
        "RFC 9110 §5.5; CVE-2019-9900",
    ),
    "then-a-nul": (
        get("Authorization: Bearer <token>\x00"),
        UNREADABLE,
        "What comes behind a NUL does not stay unseen.",
        "RFC 9110 §5.5; CVE-2019-9900",
    ),
    "and-a-control": (
        get("Authorization: Bearer \x01<token>"),
        UNREADABLE,
        "Control bytes are in no token.",
        "RFC 9110 §5.5",
    ),
    "then-a-del": (
        get("Authorization: Bearer <token>\x7f"),
        UNREADABLE,
        "DEL is in no token.",
        "RFC 9110 §5.5",
    ),
    "and-an-escape": (
        get("Authorization: Bearer \x1b[31m<token>"),
        UNREADABLE,
        "An escape sequence is in no token, and in no log.",
        "RFC 9110 §5.5; CWE-150",
    ),
    "8-kib-not-ours": (
        get("Authorization: Bearer <times 8192 a>"),
        UNAUTHENTICATED,
        "8 KiB of something else are no credential of ours.",
        "RFC 6750 §2.1",
    ),
    "8-kib-like-ours": (
        get("Authorization: Bearer dw_<times 8189 a>"),
        UNREADABLE,
        "8 KiB that begin like a token are none.",
        "RFC 6750 §2.1",
    ),
    "8-kib-behind-ours": (
        get("Authorization: Bearer <token><times 8127 a>"),
        UNREADABLE,
        "A token counts as a whole.",
        "RFC 6750 §2.1",
    ),
    "60-kib": (
        get("Authorization: Bearer dw_<times 61440 a>"),
        answer(431),
        "60 KiB are more than all the headers may be.",
        "RFC 6585 §5",
    ),
    "58-kib": (
        get("Authorization: Bearer dw_<times 59000 a>"),
        UNREADABLE,
        "What just fits is looked at, and refused.",
        "RFC 6585 §5",
    ),
    "not-utf-8": (
        get("Authorization: Bearer \xff\xfe\xc0\xaf"),
        UNAUTHENTICATED,
        "Bytes that are not UTF-8 neither break the question to the check nor open anything.",
        "CVE-2023-27488",
    ),
    "not-utf-8-like-ours": (
        get("Authorization: Bearer dw_\xff\xfe"),
        UNREADABLE,
        "A token has ASCII characters alone.",
        "CVE-2023-27488",
    ),
    "not-utf-8-behind-ours": (
        get("Authorization: Bearer <token>\xff"),
        UNREADABLE,
        "Nothing behind a token is cut off to make it one.",
        "CVE-2023-27488",
    ),
    "not-utf-8-in-the-token-header": (
        get("<token-header>: \xff"),
        UNREADABLE,
        "A token header that holds no token is refused.",
        "CVE-2023-27488",
    ),
    "not-utf-8-elsewhere": (
        get("Cookie: a=\xff", "Accept: \xc3\x28", "Origin: \xe2\x82"),
        UNAUTHENTICATED,
        "Bytes that are not UTF-8 in any header that the check reads do not take its place.",
        "CVE-2023-27488",
    ),
    "not-utf-8-in-a-name": (
        get("X-\xff: a", _BEARER),
        UNREADABLE,
        "A header's name is a token of ASCII.",
        "RFC 9110 §5.1",
    ),
    "not-utf-8-over-http2": (
        Http2(
            (
                Headers(
                    fields=(
                        *((":method", "GET"), (":scheme", "http"), (":authority", "<mine>"), (":path", "/")),
                        ("authorization", "Bearer \xff\xfe"),
                        ("cookie", "\xff"),
                    )
                ),
            )
        ),
        UNAUTHENTICATED,
        "Bytes that are not UTF-8 open nothing over HTTP/2 either.",
        "CVE-2023-27488",
    ),
}
"""Requests to `mine` that are refused, each with the answer, the rule and its source."""

ACCEPTED: Final[dict[str, tuple[Exchange, Seen, str, str]]] = {
    "not-utf-8-beside-it": (
        get(_BEARER, "X-A: \xff\xfe", "Cookie: a=\xff"),
        Seen(headers={"x-a": ("\xff\xfe",), "cookie": ("a=\xff",)}),
        "Bytes that are not UTF-8 in the app's own headers pass as they are.",
        "CVE-2023-27488; RFC 9110 §5.5",
    ),
    "58-kib-beside-it": (
        get(_BEARER, "Cookie: <times 58000 a>"),
        Seen(headers={"cookie": ("<times 58000 a>",)}),
        "Large cookies are the app's own affair.",
        "RFC 6585 §5",
    ),
}
"""Requests to `mine` that are let in, each with what the app sees, the rule and its source."""


def _cases() -> Iterator[Case]:
    yield from refused("bearer/refused", REFUSED)
    yield from accepted("bearer/accepted", ACCEPTED)


CASES: Final = tuple(_cases())
