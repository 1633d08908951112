"""Where a credential counts, and that every other shape of one opens nothing and reaches nobody."""

from collections.abc import Iterator
from typing import Final

from tests.e2e.conformance.case import (
    FORBIDDEN,
    UNAUTHENTICATED,
    UNREADABLE,
    Case,
    Expected,
    Seen,
)
from tests.e2e.conformance.http1 import Http1, get, http1
from tests.e2e.conformance.http2 import Headers, Http2, request
from tests.e2e.conformance.rows import accepted, refused

_BEARER: Final = "Authorization: Bearer <token>"
_NOT_OURS: Final = "Authorization: Bearer the-apps-own"
_SECRETS: Final = "docs/security-model.md, 3"
_TWICE: Final = "RFC 9110 §5.3; CVE-2021-32777; CVE-2020-25017"
_SYNTAX: Final = "RFC 6750 §2.1; RFC 9110 §11.4"

REFUSED: Final[dict[str, tuple[Http1, Expected, str, str]]] = {
    # --- None, or none that counts
    "none": (get(), UNAUTHENTICATED, "Without a credential nothing is opened.", "RFC 6750 §3"),
    "revoked": (
        get("Authorization: Bearer <dead>"),
        UNAUTHENTICATED,
        "A revoked token opens nothing.",
        "RFC 6750 §3.1",
    ),
    "of-another-app": (
        get("Authorization: Bearer <stranger>"),
        FORBIDDEN,
        "A token opens what is in its scope and nothing else.",
        "RFC 6750 §3.1",
    ),
    "in-the-query": (
        get(target="/?access_token=<token>"),
        UNAUTHENTICATED,
        "A query is no place for a credential.",
        "RFC 6750 §2.3",
    ),
    "in-the-body": (
        http1(
            "POST / HTTP/1.1",
            "Host: <mine>",
            "Content-Type: application/x-www-form-urlencoded",
            "Content-Length: 78",
            body="access_token=<token>",
        ),
        UNAUTHENTICATED,
        "A body is no place for a credential.",
        "RFC 6750 §2.2",
    ),
    "in-a-cookie": (
        get("Cookie: token=<token>; access_token=<token>"),
        UNAUTHENTICATED,
        "A cookie with a token in it is no session.",
        _SECRETS,
    ),
    "in-proxy-authorization": (
        get("Proxy-Authorization: Bearer <token>"),
        UNAUTHENTICATED,
        "Proxy-Authorization is not Authorization.",
        "RFC 9110 §11.7.2",
    ),
    "under-an-underscore": (
        get("authorization_: Bearer <token>", "X_Authorization: Bearer <token>"),
        UNAUTHENTICATED,
        "Only Authorization itself is Authorization.",
        "RFC 9110 §11.6.2",
    ),
    "only-the-scheme": (get("Authorization: Bearer"), UNAUTHENTICATED, "A scheme is no credential.", _SYNTAX),
    "another-scheme": (
        get("Authorization: Digest <token>"),
        UNREADABLE,
        "A token under another scheme is refused: the app would see it.",
        _SECRETS,
    ),
    "no-scheme": (get("Authorization: <token>"), UNREADABLE, "A token without a scheme is refused.", _SYNTAX),
    # --- More than one
    "authorization-twice": (
        get(_BEARER, _BEARER),
        UNREADABLE,
        "Two Authorization headers are two readings, even when they are the same.",
        _TWICE,
    ),
    "authorization-twice-ours-first": (
        get(_BEARER, _NOT_OURS),
        UNREADABLE,
        "Two Authorization headers are refused, ours before the app's.",
        _TWICE,
    ),
    "authorization-twice-ours-last": (
        get(_NOT_OURS, _BEARER),
        UNREADABLE,
        "Two Authorization headers are refused, ours after the app's.",
        _TWICE,
    ),
    "authorization-twice-other-case": (
        get(_BEARER, "AUTHORIZATION: Bearer <stranger>"),
        UNREADABLE,
        "Two Authorization headers are two, in whatever case.",
        _TWICE,
    ),
    "bearer-and-basic": (
        get(_BEARER, "Authorization: Basic <base64 x:<token>>"),
        UNREADABLE,
        "Two schemes in two headers are refused.",
        _TWICE,
    ),
    "joined-by-a-comma": (
        get("Authorization: Bearer <token>, Bearer <token>"),
        UNREADABLE,
        "Two credentials joined by a comma are no credential.",
        "RFC 9110 §11.6.2",
    ),
    "joined-by-a-comma-ours-last": (
        get("Authorization: Bearer the-apps-own, Bearer <token>"),
        UNREADABLE,
        "A token of ours behind a comma is refused: the app would see it.",
        _SECRETS,
    ),
    "joined-by-a-comma-without-space": (
        get("Authorization: Bearer <token>,<stranger>"),
        UNREADABLE,
        "A comma is in no token.",
        "RFC 6750 §2.1",
    ),
    "joined-with-a-parameter": (
        get("Authorization: Bearer <token>;realm=x"),
        UNREADABLE,
        "A token has no parameters.",
        "RFC 6750 §2.1",
    ),
    "token-header-twice": (
        get("<token-header>: <token>", "<token-header>: <token>"),
        UNREADABLE,
        "A credential header that was sent twice is refused.",
        _TWICE,
    ),
    "token-header-joined": (
        get("<token-header>: <token>,<token>"),
        UNREADABLE,
        "Two tokens in one header are none.",
        _TWICE,
    ),
    "token-header-with-a-scheme": (
        get("<token-header>: Bearer <token>"),
        UNREADABLE,
        "That header holds a bare token.",
        "docs/decision.md",
    ),
    "the-first-counts": (
        get("Authorization: Bearer <stranger>", "<token-header>: <token>"),
        FORBIDDEN,
        "With credentials in two places the first counts, also when the second would open more.",
        "docs/decision.md",
    ),
    "the-first-counts-dead": (
        get("Authorization: Bearer <dead>", "<token-header>: <token>"),
        UNAUTHENTICATED,
        "A dead credential is not made up for by a second one.",
        "docs/decision.md",
    ),
    "the-first-counts-malformed": (
        get("Authorization: Bearer <token>x", "<token-header>: <token>"),
        UNREADABLE,
        "A broken credential is not made up for by a second one.",
        "docs/decision.md",
    ),
    # --- Basic, oddly
    "basic-as-the-user": (
        get("Authorization: Basic <base64 <token>:>"),
        UNREADABLE,
        "A token as the user's name is refused: the app would see it.",
        _SECRETS,
    ),
    "basic-without-a-colon": (
        get("Authorization: Basic <base64 <token>>"),
        UNREADABLE,
        "A token without a user is refused.",
        "RFC 7617 §2",
    ),
    "basic-with-colons": (
        get("Authorization: Basic <base64 user:with:colons:<token>>"),
        UNREADABLE,
        "The password begins behind the first colon.",
        "RFC 7617 §2",
    ),
    "basic-with-a-colon-behind": (
        get("Authorization: Basic <base64 user:<token>:>"),
        UNREADABLE,
        "A colon behind the token belongs to the password.",
        "RFC 7617 §2",
    ),
    "basic-not-encoded": (
        get("Authorization: Basic user:<token>"),
        UNREADABLE,
        "A token that is not encoded is refused: the app would see it.",
        _SECRETS,
    ),
    "basic-and-no-base64": (
        get("Authorization: Basic !!!!"),
        UNAUTHENTICATED,
        "What is no base64 is no credential.",
        "RFC 7617 §2",
    ),
    "basic-and-nothing": (
        get("Authorization: Basic"),
        UNAUTHENTICATED,
        "Nothing is no credential.",
        "RFC 7617 §2",
    ),
    "basic-half-a-byte": (
        get("Authorization: Basic A"),
        UNAUTHENTICATED,
        "Six bits are no byte.",
        "RFC 4648 §4",
    ),
    "basic-with-junk-inside": (
        get("Authorization: Basic <base64 user:>*<base64 <token>>"),
        UNREADABLE,
        "A decoder that skips what is no base64 would hand the app the token.",
        "RFC 4648 §3.3",
    ),
    "basic-of-an-unknown": (
        get("Authorization: Basic <base64 user:password>"),
        UNAUTHENTICATED,
        "A password of the app's own opens nothing here.",
        "RFC 7617 §2",
    ),
}
"""Requests to `mine` that are refused, each with the answer, the rule and its source."""

ACCEPTED: Final[dict[str, tuple[Http1, Seen, str, str]]] = {
    "bearer": (get(_BEARER), Seen(headers={"authorization": ()}), "The app never sees it.", _SECRETS),
    "bearer-lower-case": (
        get("authorization: bearer <token>"),
        Seen(headers={"authorization": ()}),
        "The case of header and scheme does not matter.",
        "RFC 9110 §11.1",
    ),
    "bearer-upper-case": (
        get("AUTHORIZATION: BEARER <token>"),
        Seen(headers={"authorization": ()}),
        "The case of header and scheme does not matter.",
        "RFC 9110 §11.1",
    ),
    "bearer-more-spaces": (
        get("Authorization:   Bearer   <token>   "),
        Seen(headers={"authorization": ()}),
        "There may be more than one space, and the app does not see the token then either.",
        "RFC 9110 §11.4",
    ),
    "basic": (
        get("Authorization: Basic <base64 anybody:<token>>"),
        Seen(headers={"authorization": ()}),
        "The token as a password, whoever the user.",
        "RFC 7617 §2",
    ),
    "basic-without-a-user": (
        get("Authorization: bASIC  <base64 :<token>>"),
        Seen(headers={"authorization": ()}),
        "The user's name may be empty.",
        "RFC 7617 §2",
    ),
    "token-header": (
        get("<token-header>: <token>"),
        Seen(headers={"<token-header>": ()}),
        "The bare token in its header.",
        _SECRETS,
    ),
    "token-header-beside-the-apps-own": (
        get("<token-header>: <token>", _NOT_OURS, 'Cookie: a=1; b="x y";c=%20; d'),
        Seen(headers={"authorization": ("Bearer the-apps-own",), "cookie": ('a=1; b="x y";c=%20; d',)}),
        "The app's own credential passes as it is, and ours does not.",
        _SECRETS,
    ),
    "token-header-beside-basic": (
        get("<token-header>: <token>", "Authorization: Basic <base64 user:password>"),
        Seen(headers={"authorization": ("Basic <base64 user:password>",)}),
        "The app's own password passes, and our token does not.",
        _SECRETS,
    ),
    "in-two-places": (
        get(_BEARER, "<token-header>: <stranger>"),
        Seen(headers={"authorization": ()}),
        "The first of two counts, and the app sees neither.",
        "docs/decision.md",
    ),
    "in-two-places-basic": (
        get("<token-header>: <token>", "Authorization: Basic <base64 x:<stranger>>"),
        Seen(headers={"authorization": ()}),
        "The first of two counts, and the app sees neither.",
        "docs/decision.md",
    ),
}
"""Requests to `mine` that are let in, each with what the app sees, the rule and its source."""


def _cases() -> Iterator[Case]:
    yield from refused("credential/refused", REFUSED)
    yield from accepted("credential/accepted", ACCEPTED)
    yield Case(
        name="credential/http2-twice",
        rule="Two authorization fields over HTTP/2 are two readings.",
        source=_TWICE,
        exchange=Http2((Headers(fields=request(("authorization", "Bearer <stranger>"))),)),
        answers=(UNREADABLE,),
    )


CASES: Final = tuple(_cases())
