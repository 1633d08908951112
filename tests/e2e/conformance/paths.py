"""Which path a request is for, at an app where that matters: one reading or none.

The app `guarded` needs the operator's token for `/admin` and what lies below.
"""

from collections.abc import Iterator
from typing import Final

from tests.e2e.conformance.case import ALLOWED, FORBIDDEN, UNREADABLE, Case, Exchange, Expected, Seen, answer
from tests.e2e.conformance.http1 import Http1, get, http1
from tests.e2e.conformance.http2 import Headers, Http2, request
from tests.e2e.conformance.rows import accepted, refused

_BEARER: Final = "Authorization: Bearer <token>"
_OPERATOR: Final = "Authorization: Bearer <operator>"
_DOTS: Final = "RFC 3986 §5.2.4; CVE-2019-9901"
_SLASHES: Final = "CVE-2021-29492"
_EMPTY: Final = "RFC 3986 §3.3; docs/decision.md"
_PARAMETER: Final = "RFC 3986 §3.3"
_BACKSLASH: Final = "WHATWG URL §4.4; GHSA-4prh-gqw8-rgh5"
_NORMAL: Final = "RFC 3986 §6.2.2"
_OVERLONG: Final = "RFC 3629 §3; CVE-2000-0884; CVE-2008-2938"

UNDER_THE_PREFIX: Final[dict[str, tuple[str, str]]] = {
    "itself": ("/admin", "docs/decision.md"),
    "with-a-slash": ("/admin/", "docs/decision.md"),
    "below": ("/admin/users/1", "docs/decision.md"),
    "with-a-query": ("/admin?x=/", "RFC 3986 §3.4"),
    "with-an-empty-query": ("/admin?", "RFC 3986 §3.4"),
    "upper-case": ("/ADMIN/x", "CWE-178"),
    "mixed-case": ("/aDmIn", "CWE-178"),
    "an-escaped-letter": ("/%61dmin", _NORMAL),
    "all-escaped": ("/<escaped admin>", _NORMAL),
    "all-escaped-upper-case": ("/<upper <escaped admin>>", _NORMAL),
    "full-width": ("/%ef%bd%81dmin", "UAX #15"),
    "through-dots": ("/x/../admin", _DOTS),
    "through-one-dot": ("/./admin", _DOTS),
    "through-escaped-dots": ("/x/%2e%2e/admin", _DOTS),
    "through-half-escaped-dots": ("/x/.%2E/admin", _DOTS),
    "through-an-escaped-dot": ("/%2e/admin", _DOTS),
    "above-the-root": ("/../../../admin", _DOTS),
    "there-and-back": ("/admin/x/../../admin", _DOTS),
    "through-backslashes": ("/x\\..\\admin", _BACKSLASH),
    "before-a-backslash": ("/admin\\x", _BACKSLASH),
    "behind-a-backslash": ("/x/..\\admin", _BACKSLASH),
    "through-dots-with-a-parameter": ("/x/..;/admin", _PARAMETER),
    "behind-16-kib": ("/<times 16000 a>/../admin", _DOTS),
    "before-16-kib": ("/admin/<times 16384 a>", _DOTS),
    "through-5000-dots": ("/<times 5000 ./>admin", _DOTS),
    "through-5000-double-dots": ("/<times 5000 a/../>admin", _DOTS),
}
"""Paths that mean `/admin` in every reading: they need the operator's token."""

TWO_READINGS: Final[dict[str, tuple[str, str]]] = {
    "double-slash": ("//admin", _EMPTY),
    "double-slash-inside": ("/x//admin", _EMPTY),
    "double-slash-behind": ("/admin//", _EMPTY),
    "many-slashes": ("/<times 200 />admin", _EMPTY),
    "escaped-slash": ("/%2fadmin", _SLASHES),
    "escaped-slash-upper-case": ("/%2Fadmin", _SLASHES),
    "escaped-slash-behind": ("/admin%2fx", _SLASHES),
    "escaped-slashes-and-dots": ("/x%2f..%2fadmin", _SLASHES),
    "escaped-slashes-and-escaped-dots": ("/x%2F%2E%2e%2Fadmin", _SLASHES),
    "escaped-backslash": ("/%5cadmin", _SLASHES),
    "escaped-backslash-upper-case": ("/%5Cadmin", _SLASHES),
    "escaped-backslashes-and-dots": ("/x%5c..%5Cadmin", _SLASHES),
    "5000-escaped-slashes": ("/<times 5000 %2f>admin", _SLASHES),
    "escaped-twice": ("/%252fadmin", "CWE-174"),
    "a-letter-escaped-twice": ("/%2561dmin", "CWE-174"),
    "a-dot-escaped-twice": ("/x/%252e%252e/admin", "CWE-174"),
    "parameter": ("/admin;a=b", _PARAMETER),
    "parameter-before": ("/;a=b/admin", _PARAMETER),
    "parameter-empty": ("/admin;", _PARAMETER),
    "parameter-escaped": ("/admin%3bx", _PARAMETER),
    "escaped-question-mark": ("/admin%3fx", "RFC 3986 §3.4"),
    "escaped-number-sign": ("/admin%23x", "RFC 3986 §3.5; CVE-2021-32779"),
    "overlong-slash": ("/%c0%afadmin", _OVERLONG),
    "overlong-slash-of-three": ("/%e0%80%afadmin", _OVERLONG),
    "overlong-dots": ("/x/%c0%ae%c0%ae/admin", _OVERLONG),
    "overlong-letter": ("/%c1%a1dmin", _OVERLONG),
    "overlong-mixed-case": ("/%C0%aFadmin", _OVERLONG),
    "not-utf-8": ("/admin%ff", "RFC 3629 §3"),
    "utf-16-escape": ("/%u0061dmin", "RFC 3986 §2.1"),
    "broken-escape": ("/admin%2", "RFC 3986 §2.1"),
    "broken-escape-at-the-end": ("/admin%", "RFC 3986 §2.1"),
    "broken-escape-of-letters": ("/%gg/admin", "RFC 3986 §2.1"),
    "full-width-slash": ("/%ef%bc%8fadmin", "UAX #15"),
    "soft-hyphen": ("/ad%c2%admin", "CVE-2014-9390"),
    "escaped-nul": ("/admin%00", "CWE-158"),
    "escaped-nul-and-more": ("/admin%00.html", "CWE-158"),
    "escaped-newline": ("/admin%0a", "CWE-93"),
    "escaped-tab": ("/%09admin", "CWE-93"),
    "escaped-del": ("/admin%7f", "CWE-93"),
    "escaped-space-behind": ("/admin%20", "CWE-46"),
    "escaped-space-before": ("/%20admin", "CWE-46"),
    "dot-behind": ("/admin.", "CWE-42"),
    "three-dots": ("/.../admin", "CWE-32"),
}
"""Paths that some parser reads as `/admin` and another one does not: they go nowhere, whoever asks."""

NO_PATH: Final[dict[str, tuple[Exchange, Expected, str, str]]] = {
    "fragment": (
        get(_BEARER, target="/admin#x", host="<guarded>"),
        answer(400, 403),
        "A fragment does not hide what stands before it.",
        "RFC 9112 §3.2; CVE-2021-32779",
    ),
    "fragment-before": (
        get(_BEARER, target="/#/../admin", host="<guarded>"),
        UNREADABLE,
        "A fragment has no place in a request.",
        "RFC 9112 §3.2; CVE-2021-32779",
    ),
    "empty": (
        http1("GET  HTTP/1.1", "Host: <guarded>", _BEARER),
        UNREADABLE,
        "A request line without a path is none.",
        "RFC 9112 §3.2",
    ),
    "query-alone": (
        get(_BEARER, target="?admin", host="<guarded>"),
        UNREADABLE,
        "A path begins with a slash.",
        "RFC 9112 §3.2.1",
    ),
    "without-a-slash": (
        get(_BEARER, target="admin", host="<guarded>"),
        UNREADABLE,
        "A path begins with a slash.",
        "RFC 9112 §3.2.1",
    ),
    "backslash": (
        get(_BEARER, target="\\admin", host="<guarded>"),
        UNREADABLE,
        "A path begins with a slash.",
        "RFC 9112 §3.2.1",
    ),
    "asterisk": (
        http1("OPTIONS * HTTP/1.1", "Host: <guarded>", _BEARER),
        answer(400, 404),
        "The server as a whole is no path of an app with paths that matter.",
        "RFC 9112 §3.2.4",
    ),
    "with-a-space": (
        get(_BEARER, target="/admin x", host="<guarded>"),
        UNREADABLE,
        "A request line has three words.",
        "RFC 9112 §3",
    ),
    "with-a-tab": (
        get(_BEARER, target="/admin\tx", host="<guarded>"),
        UNREADABLE,
        "A path has no control bytes.",
        "RFC 3986 §2",
    ),
    "with-a-nul": (
        get(_BEARER, target="/admin\x00", host="<guarded>"),
        UNREADABLE,
        "A path has no control bytes.",
        "RFC 3986 §2; CVE-2019-9900",
    ),
    "raw-not-utf-8": (
        get(_BEARER, target="/\xff\xfe", host="<guarded>"),
        UNREADABLE,
        "A path that is not UTF-8 does not break the question to the check.",
        "CVE-2023-27488",
    ),
    "absolute-form": (
        http1("GET http://<guarded>/admin HTTP/1.1", "Host: <mine>", _BEARER),
        FORBIDDEN,
        "The path of an absolute request line counts.",
        "RFC 9112 §3.2.2",
    ),
    "absolute-form-dots": (
        http1("GET http://<guarded>/x/../admin HTTP/1.1", "Host: <mine>", _BEARER),
        FORBIDDEN,
        "The path of an absolute request line is made normal, too.",
        _DOTS,
    ),
    "headers-of-other-proxies": (
        get(
            _BEARER,
            "x-envoy-original-path: /x",
            "X-Original-URL: /x",
            "X-Rewrite-URL: /x",
            target="/admin",
            host="<guarded>",
        ),
        FORBIDDEN,
        "Headers about a path choose no path.",
        "CVE-2023-27487",
    ),
    "70-kib": (
        get(_BEARER, target="/<times 71680 a>", host="<guarded>"),
        answer(414, 431),
        "A path that is longer than all the headers may be is refused.",
        "RFC 9110 §15.5.15",
    ),
    "http2-empty": (
        Http2((Headers(fields=request(authority="<guarded>", path="")),)),
        answer(400, None),
        "A path is not empty.",
        "RFC 9113 §8.3.1",
    ),
    "http2-without-a-slash": (
        Http2((Headers(fields=request(authority="<guarded>", path="admin")),)),
        answer(400, None),
        "A path begins with a slash.",
        "RFC 9113 §8.3.1",
    ),
    "http2-two": (
        Http2((Headers(fields=request((":path", "/x"), authority="<guarded>", path="/admin")),)),
        answer(400, None),
        "There is one path.",
        "RFC 9113 §8.3",
    ),
    "http2-with-a-fragment": (
        Http2((Headers(fields=request(authority="<guarded>", path="/admin#x")),)),
        answer(400, 403, None),
        "A fragment does not hide what stands before it.",
        "RFC 9113 §8.3.1; CVE-2021-32779",
    ),
    "http2-dots": (
        Http2((Headers(fields=request(authority="<guarded>", path="/x/../admin")),)),
        FORBIDDEN,
        "Paths over HTTP/2 are made normal, too.",
        _DOTS,
    ),
    "http2-escaped-slash": (
        Http2((Headers(fields=request(authority="<guarded>", path="/x%2f..%2fadmin")),)),
        UNREADABLE,
        "Two readings are none over HTTP/2 either.",
        _SLASHES,
    ),
}
"""What is no path, or not the one that it looks like."""


def _at_guarded(target: str, *, credential: str = _BEARER) -> Http1:
    return get(credential, target=target, host="<guarded>")


def _cases() -> Iterator[Case]:
    meant = "However it is spelled, it needs the operator's token."
    yield from refused(
        "path/admin",
        {
            name: (_at_guarded(target), FORBIDDEN, meant, source)
            for name, (target, source) in UNDER_THE_PREFIX.items()
        },
    )
    twice = "What two parsers could read in two ways goes nowhere."
    yield from refused(
        "path/two-readings",
        {
            name: (_at_guarded(target), UNREADABLE, twice, source)
            for name, (target, source) in TWO_READINGS.items()
        },
    )
    yield from refused(
        "path/two-readings-as-operator",
        {
            name: (
                _at_guarded(TWO_READINGS[name][0], credential=_OPERATOR),
                UNREADABLE,
                "That a path has two readings does not depend on who asks.",
                TWO_READINGS[name][1],
            )
            for name in ("escaped-slash", "double-slash", "parameter", "overlong-slash")
        },
    )
    yield from refused("path/refused", NO_PATH)
    yield from accepted(
        "path/as-operator",
        {
            name: (
                _at_guarded(target, credential=_OPERATOR),
                Seen(app="guarded", by="operator", target=seen),
                "The operator's token opens what the other one does not.",
                "docs/decision.md",
            )
            for name, target, seen in (
                ("itself", "/admin", "/admin"),
                ("below", "/admin/x?y=%2f", "/admin/x?y=%2f"),
                ("escaped", "/<escaped admin>", "/admin"),
                ("dots", "/x/../admin", "/admin"),
            )
        },
    )
    yield from accepted(
        "path/beside-admin",
        {
            name: (
                _at_guarded(target),
                Seen(app="guarded", target=target),
                "What is not under the prefix needs no more than a token.",
                "docs/decision.md",
            )
            for name, target in (
                ("longer", "/administrator"),
                ("elsewhere", "/x/admin"),
                ("in-the-query", "/x?/../admin//%2f;"),
                ("16-kib", "/<times 16384 a>"),
            )
        },
    )
    yield Case(
        name="path/absolute-form-without-a-path",
        rule="An absolute request line without a path means the root.",
        source="RFC 9112 §3.2.1",
        exchange=http1("GET http://<guarded> HTTP/1.1", "Host: <guarded>", _BEARER),
        answers=(ALLOWED,),
        seen=(Seen(app="guarded", target="/"),),
    )


CASES: Final = tuple(_cases())
