"""Which app a request is for: one host or none, however it is written."""

from collections.abc import Iterator
from typing import Final

from tests.e2e.conformance.case import (
    ALLOWED,
    FORBIDDEN,
    UNAUTHENTICATED,
    UNREADABLE,
    Case,
    Exchange,
    Expected,
    Seen,
    answer,
)
from tests.e2e.conformance.http1 import Http1, get, http1, message
from tests.e2e.conformance.http2 import Headers, Http2, request
from tests.e2e.conformance.rows import accepted, refused

_BEARER: Final = "Authorization: Bearer <token>"
_HOST: Final = "RFC 9112 §3.2"
_AUTHORITY: Final = "RFC 9113 §8.3.1"
_SCOPE: Final = "docs/security-model.md, 6"


def _at(host: str) -> Http1:
    """A good request, to another host."""
    return get(_BEARER, host=host)


def _over_http2(*more: tuple[str, str], without: str = "", **pseudo: str) -> Http2:
    return Http2((Headers(fields=request(*more, without=without, **pseudo)),))


SAME: Final[dict[str, tuple[Exchange, Seen, str, str]]] = {
    "without-a-port": (_at("<mine-name>"), Seen(host="<mine-name>"), "The port is optional.", _HOST),
    "with-another-port": (
        _at("<mine-name>:80"),
        Seen(host="<mine-name>:80"),
        "The port does not say which app, and the app sees its Host as it was sent.",
        _HOST,
    ),
    "upper-case": (
        _at("<upper <mine>>"),
        Seen(host="<upper <mine>>"),
        "The case of a host does not matter.",
        "RFC 9110 §4.2.3",
    ),
    "a-trailing-dot": (
        _at("<mine-name>."),
        Seen(host="<mine-name>"),
        "One trailing dot is the root of the DNS, and the app does not see it.",
        "RFC 1034 §3.1",
    ),
    "a-trailing-dot-and-a-port": (
        _at("<mine-name>.:80"),
        Seen(host="<mine-name>:80"),
        "One trailing dot is the root of the DNS, and the app does not see it.",
        "RFC 1034 §3.1",
    ),
    "absolute-form": (
        http1("GET http://<mine>/x HTTP/1.1", "Host: <mine>", _BEARER),
        Seen(target="/x", host="<mine>"),
        "A proxy's request line means the same.",
        "RFC 9112 §3.2.2",
    ),
    "absolute-form-decides": (
        http1("GET http://<mine>/x HTTP/1.1", "Host: <other>", _BEARER),
        Seen(target="/x", host="<mine>"),
        "With two hosts, the request line counts, and the app sees that one alone.",
        "RFC 9112 §3.2.2",
    ),
    "absolute-form-with-userinfo": (
        http1("GET http://user:password@<mine>/x HTTP/1.1", "Host: <other>", _BEARER),
        Seen(target="/x", host="<mine>", headers={"authorization": ()}),
        "Userinfo in a request line is neither a host nor a credential, and the app does not see it.",
        "RFC 9110 §4.2.4",
    ),
    "x-forwarded-host-of-another": (
        get(_BEARER, "X-Forwarded-Host: <other>", "X-Host: <other>", "Forwarded: host=<other>"),
        Seen(host="<mine>"),
        "Headers about a host choose no app.",
        _SCOPE,
    ),
    "http2": (_over_http2(), Seen(host="<mine>"), "Over HTTP/2 the authority is the host.", _AUTHORITY),
    "http2-host-alone": (
        _over_http2(("host", "<mine>"), without="authority"),
        Seen(host="<mine>"),
        "Without an authority, host is what there is.",
        _AUTHORITY,
    ),
    "http2-authority-decides": (
        _over_http2(("host", "<other>")),
        Seen(host="<mine>"),
        "Authority and host differ: the authority counts, and the app sees that one alone.",
        _AUTHORITY,
    ),
}
"""Spellings of `mine`."""

NO_APP: Final[dict[str, str]] = {
    "of-an-app-out-of-scope": "<other>",
    "of-an-app-that-nobody-has": "00000000-0000-4000-8000-000000000000.<mine-parent>",
    "sibling-domain": "<mine-label>.sibling.example",
    "sibling-of-the-parent": "<mine-label>.x<mine-parent>",
    "sibling-by-a-hyphen": "<mine-label>.x-<mine-parent>",
    "parent-domain": "<mine-parent>",
    "wildcard": "*.<mine-parent>",
    "child-domain": "x.<mine-name>",
    "child-of-its-own": "<mine-label>.<mine-name>",
    "label-alone": "<mine-label>",
    "with-a-suffix": "<mine-name>.example.com",
    "with-a-suffix-glued": "<mine-name>example.com",
    "with-a-prefix-glued": "x<mine-name>",
    "two-trailing-dots": "<mine-name>..",
    "leading-dot": ".<mine-name>",
    "doubled-dot": "<mine-label>..<mine-parent>",
    "doubled-by-a-comma": "<mine-name>,<mine-name>",
    "doubled-with-another": "<mine-name>, <other-name>",
    "doubled-by-a-space": "<mine-name> <mine-name>",
    "behind-an-at-sign": "x@<mine-name>",
    "before-an-at-sign": "<mine-name>@example.com",
    "userinfo": "user:password@<mine>",
    "userinfo-empty": "@<mine-name>",
    "port-of-letters": "<mine-name>:port",
    "port-empty": "<mine-name>:",
    "port-negative": "<mine-name>:-1",
    "port-too-long": "<mine-name>:000000080",
    "two-ports": "<mine-name>:80:80",
    "ipv4": "127.0.0.1",
    "ipv4-as-a-number": "2130706433",
    "ipv6": "[::1]",
    "ipv6-and-a-port": "[::1]:80",
    "ipv6-mapped": "[::ffff:127.0.0.1]",
    "ipv6-without-brackets": "::1",
    "ipv6-zone": "[fe80::1%25eth0]",
    "in-brackets": "[<mine-name>]",
    "a-scheme": "http://<mine-name>",
    "a-path": "<mine-name>/x",
    "a-query": "<mine-name>?x",
    "a-fragment": "<mine-name>#x",
    "a-backslash": "<mine-name>\\x",
    "a-semicolon": "<mine-name>;x",
    "escaped": "<escaped <mine-name>>",
    "escaped-dot": "<mine-label>%2e<mine-parent>",
    "underscored": "<underscored <mine-name>>",
    "full-width-dot": "<mine-label>\xef\xbc\x8e<mine-parent>",
    "not-utf-8": "<mine-name>\xff",
    "a-tab": "<mine-name>\t<mine-name>",
    "a-nul": "<mine-name>\x00",
    "empty": "",
    "very-long": "<times 8192 a>.<mine-parent>",
}
"""Hosts that name no app of the token's."""

_NOWHERE: Final = answer(400, 403, 404)
"""Whether a host is no host, one that nobody has or one of the gateway's own, is the gateway's affair."""


def _refused() -> dict[str, tuple[Exchange, Expected, str, str]]:
    rows: dict[str, tuple[Exchange, Expected, str, str]] = {
        name: (_at(host), _NOWHERE, "What is not exactly the host of an app in scope reaches nothing.", _HOST)
        for name, host in NO_APP.items()
    }
    over_http2 = {f"http2-{name}": host for name, host in NO_APP.items() if host}
    rows |= {
        name: (
            _over_http2(authority=host),
            answer(400, 403, 404, None),
            "An authority that is not exactly that of an app in scope reaches nothing.",
            _AUTHORITY,
        )
        for name, host in over_http2.items()
    }
    return rows | {
        "missing": (http1("GET / HTTP/1.1", _BEARER), UNREADABLE, "HTTP/1.1 wants a Host.", _HOST),
        "twice-the-same": (
            get(_BEARER, "Host: <mine>"),
            _NOWHERE,
            "A second Host makes no second reading possible, even when it is the same.",
            _HOST,
        ),
        "twice-another-last": (
            get(_BEARER, "Host: <other>"),
            _NOWHERE,
            "A second Host makes no second reading possible.",
            _HOST,
        ),
        "twice-another-first": (
            get(_BEARER, "Host: <mine>", host="<other>"),
            _NOWHERE,
            "A second Host makes no second reading possible.",
            _HOST,
        ),
        "x-forwarded-host": (
            get(_BEARER, "X-Forwarded-Host: <mine>", "Forwarded: host=<mine>", host="<other>"),
            FORBIDDEN,
            "Headers about a host choose no app.",
            _SCOPE,
        ),
        "absolute-form-of-another": (
            http1("GET http://<other>/ HTTP/1.1", "Host: <mine>", _BEARER),
            FORBIDDEN,
            "The host of an absolute request line counts.",
            "RFC 9112 §3.2.2",
        ),
        "absolute-form-userinfo-of-another": (
            http1("GET http://<mine>@<other>/ HTTP/1.1", "Host: <mine>", _BEARER),
            _NOWHERE,
            "What stands before an @ is no host.",
            "RFC 9110 §4.2.4",
        ),
        "absolute-form-without-a-host": (
            http1("GET http:///x HTTP/1.1", "Host: <mine>", _BEARER),
            _NOWHERE,
            "An absolute request line without a host does not fall back to Host.",
            "RFC 9110 §4.2.1",
        ),
        "absolute-form-another-scheme": (
            http1("GET file:///etc/passwd HTTP/1.1", "Host: <mine>", _BEARER),
            _NOWHERE,
            "Only http has a meaning in a request line.",
            "RFC 9112 §3.2.2",
        ),
        "of-a-public-app-in-x-forwarded-host": (
            get("X-Forwarded-Host: <public>", "Forwarded: host=<public>"),
            UNAUTHENTICATED,
            "No header makes an app public.",
            _SCOPE,
        ),
        "http2-of-another": (
            _over_http2(("host", "<mine>"), authority="<other>"),
            FORBIDDEN,
            "Authority and host differ: the authority counts.",
            _AUTHORITY,
        ),
        "http2-authority-twice": (
            _over_http2((":authority", "<other>")),
            answer(400, None),
            "There is one authority.",
            _AUTHORITY,
        ),
        "http2-authority-empty": (
            _over_http2(authority=""),
            answer(400, 403, 404, None),
            "An empty authority is none.",
            _AUTHORITY,
        ),
        "http2-authority-empty-and-a-host": (
            _over_http2(("host", "<mine>"), authority=""),
            answer(400, 403, 404, None),
            "An empty authority does not fall back to host.",
            _AUTHORITY,
        ),
        "http2-two-hosts": (
            _over_http2(("host", "<mine>"), ("host", "<other>"), without="authority"),
            answer(400, 403, 404, None),
            "Two hosts and no authority are two readings.",
            _AUTHORITY,
        ),
    }


def _cases() -> Iterator[Case]:
    yield from accepted("host/same", SAME)
    yield from refused("host/refused", _refused())
    yield Case(
        name="host/kept-alive",
        rule="A connection that was let through once opens nothing for the next request on it.",
        source="RFC 9110 §3.3",
        exchange=Http1(
            (
                message("GET /1 HTTP/1.1", "Host: <mine>", _BEARER),
                message("GET /2 HTTP/1.1", "Host: <other>", _BEARER),
                message("GET /3 HTTP/1.1", "Host: <mine>"),
                message("GET /4 HTTP/1.1", "Host: <mine>", _BEARER),
            )
        ),
        answers=(ALLOWED, FORBIDDEN, UNAUTHENTICATED, ALLOWED),
        seen=(Seen(target="/1"), Seen(target="/4")),
    )
    yield Case(
        name="host/pipelined",
        rule="Requests that are sent ahead are decided one by one.",
        source="RFC 9112 §9.3.2",
        exchange=Http1(
            (
                message("GET /1 HTTP/1.1", "Host: <mine>", _BEARER)
                + message("GET /2 HTTP/1.1", "Host: <other>", _BEARER)
                + message("GET /3 HTTP/1.1", "Host: <guarded>", _BEARER),
            )
        ),
        answers=(ALLOWED, FORBIDDEN, ALLOWED),
        seen=(Seen(target="/1"), Seen(app="guarded", target="/3")),
    )
    yield Case(
        name="host/http2-one-connection",
        rule="Streams of one connection are decided one by one.",
        source="RFC 9113 §9.1.1",
        exchange=Http2(
            (
                Headers(fields=request(path="/1"), stream=1),
                Headers(fields=request(path="/2", authority="<other>"), stream=3),
                Headers(fields=request(path="/3", authority="<guarded>"), stream=5),
            )
        ),
        answers=(ALLOWED, FORBIDDEN, ALLOWED),
        seen=(Seen(target="/1"), Seen(app="guarded", target="/3")),
    )


CASES: Final = tuple(_cases())
