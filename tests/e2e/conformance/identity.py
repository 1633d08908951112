"""Who the app is told that it talks to: nobody but the gateway may say."""

from collections.abc import Iterator
from typing import Final

from tests.e2e.conformance.case import ALLOWED, UNAUTHENTICATED, UNREADABLE, UPGRADED, Case, Seen, answer
from tests.e2e.conformance.http1 import Http1, get, http1, message
from tests.e2e.conformance.http2 import Data, Headers, Http2, request
from tests.e2e.conformance.revoked import UPGRADE

_BEARER: Final = "Authorization: Bearer <token>"
_SPOOFING: Final = "CWE-290; RFC 3875 §4.1.18 for `_`"

FORGED: Final = {
    "as-is": ("<identity>-role: ADMIN",),
    "title-case": ("<title <identity>>-Role: ADMIN",),
    "upper-case": ("<upper <identity>>-ROLE: ADMIN",),
    "underscores": ("<underscored <identity>>_role: ADMIN",),
    "upper-case-underscores": ("<upper <underscored <identity>>>_ROLE: ADMIN",),
    "one-underscore": ("<identity>_role: ADMIN",),
    "other-underscore": ("<title <underscored <identity>>>-Token-Id: AAAAAAAAAAAA",),
    "a-new-name": ("<identity>-something-new: ADMIN",),
    "all-of-them": (
        "<identity>-role: ADMIN",
        "<identity>-role: OPERATOR",
        "<identity>-token-id: AAAAAAAAAAAA",
        "<identity>-app-id: 00000000-0000-4000-8000-000000000000",
        "<underscored <identity>>_app_id: 00000000-0000-4000-8000-000000000000",
    ),
    "empty": ("<identity>-role:",),
}
"""Spellings of an identity header, each of which some server reads as the header itself."""


def _cases() -> Iterator[Case]:
    for spelling, forged in FORGED.items():
        yield Case(
            name=f"identity/forged/{spelling}",
            rule="An identity header of the client never reaches an app.",
            source=_SPOOFING,
            exchange=get(_BEARER, *forged),
            answers=(ALLOWED,),
            seen=(Seen(),),
        )
        yield Case(
            name=f"identity/forged-without-a-token/{spelling}",
            rule="An identity header is no credential.",
            source=_SPOOFING,
            exchange=get(*forged),
            answers=(UNAUTHENTICATED,),
        )
        yield Case(
            name=f"identity/forged-on-a-public-app/{spelling}",
            rule="A public app is told of nobody, whoever the client says that it is.",
            source=_SPOOFING,
            exchange=get(*forged, host="<public>"),
            answers=(ALLOWED,),
            seen=(Seen(app="public", by=None),),
        )
        yield Case(
            name=f"identity/forged-on-a-websocket/{spelling}",
            rule="An upgrade is a request like any other: what the client says of itself is dropped.",
            source=_SPOOFING,
            exchange=get(_BEARER, *UPGRADE, *forged, target="/socket"),
            answers=(UPGRADED,),
            seen=(Seen(target="/socket"),),
        )
        yield Case(
            name=f"identity/forged-on-the-login-path/{spelling}",
            rule="The gateway's own path never reaches an app, with an identity header or without.",
            source=_SPOOFING,
            exchange=get(*forged, target="<reserved-path>/login"),
            # The gateway may have a page of its own there.
            answers=(answer(200, 404),),
        )
    yield Case(
        name="identity/a-public-app-with-a-token",
        rule="A token that is sent to a public app does not reach it.",
        source="docs/security-model.md, 3",
        exchange=get(_BEARER, host="<public>"),
        answers=(ALLOWED,),
        seen=(Seen(app="public", by=None, headers={"authorization": ()}),),
    )
    yield Case(
        name="identity/named-in-connection",
        rule="Naming an identity header in Connection does not take it away.",
        source="RFC 9110 §7.6.1; CVE-2022-31813",
        exchange=get(_BEARER, "Connection: <identity>-role, <identity>-app-id, close"),
        answers=(ALLOWED,),
        seen=(Seen(),),
    )
    yield Case(
        name="identity/credential-named-in-connection",
        rule="Naming Authorization in Connection takes the credential away before it is decided on.",
        source="RFC 9110 §7.6.1",
        exchange=get("Connection: authorization, close", _BEARER),
        answers=(UNAUTHENTICATED,),
    )
    yield Case(
        name="identity/behind-a-space",
        rule="A space before the colon makes no header that only the app understands.",
        source="RFC 9112 §5.1",
        exchange=get(_BEARER, "<identity>-role : ADMIN"),
        answers=(UNREADABLE,),
    )
    yield Case(
        name="identity/behind-a-bare-cr",
        rule="A bare CR, in which some servers see the end of a line, hides no second header.",
        source="RFC 9112 §2.2",
        exchange=get(_BEARER, "X-A: b\r<identity>-role: ADMIN"),
        answers=(ALLOWED,),
        seen=(Seen(headers={"x-a": ("b<identity>-role: ADMIN",)}),),
    )
    yield Case(
        name="identity/on-a-folded-line",
        rule="A folded line, in which some servers see a header of its own, is unfolded.",
        source="RFC 9112 §5.2",
        exchange=get(_BEARER, "X-A: b\r\n <identity>-role: ADMIN"),
        answers=(ALLOWED,),
        seen=(Seen(headers={"x-a": ("b <identity>-role: ADMIN",)}),),
    )
    yield Case(
        name="identity/in-trailers",
        rule="Trailers tell an app nothing about who calls.",
        source="RFC 9110 §6.5.1",
        exchange=http1(
            "POST / HTTP/1.1",
            "Host: <mine>",
            _BEARER,
            "Trailer: <identity>-role",
            "Transfer-Encoding: chunked",
            body="4\r\nbody\r\n0\r\n<identity>-role: ADMIN\r\n<underscored <identity>>_role: ADMIN\r\n\r\n",
        ),
        answers=(ALLOWED,),
        seen=(Seen(method="POST", body="body"),),
    )
    yield Case(
        name="identity/http2-forged",
        rule="Over HTTP/2, an identity header of the client never reaches an app either.",
        source=_SPOOFING,
        exchange=Http2(
            (
                Headers(
                    fields=request(("<identity>-role", "ADMIN"), ("<underscored <identity>>_role", "ADMIN"))
                ),
            )
        ),
        answers=(ALLOWED,),
        seen=(Seen(),),
    )
    yield Case(
        name="identity/http2-in-trailers",
        rule="Trailers over HTTP/2 tell an app nothing about who calls.",
        source="RFC 9113 §8.1; RFC 9110 §6.5.1",
        exchange=Http2(
            (
                Headers(fields=request(method="POST"), end_stream=False),
                Data(body="body", end_stream=False),
                Headers(fields=(("<identity>-role", "ADMIN"), ("<underscored <identity>>_role", "ADMIN"))),
            )
        ),
        answers=(ALLOWED,),
        seen=(Seen(method="POST", body="body"),),
    )
    yield Case(
        name="identity/of-the-request-before",
        rule="What an app was told about one request of a connection says nothing about the next.",
        source="RFC 9110 §3.3",
        exchange=Http1(
            (
                message("GET /1 HTTP/1.1", "Host: <guarded>", "Authorization: Bearer <operator>"),
                message("GET /2 HTTP/1.1", "Host: <guarded>", _BEARER),
                message("GET /3 HTTP/1.1", "Host: <guarded>"),
            )
        ),
        answers=(ALLOWED, ALLOWED, UNAUTHENTICATED),
        seen=(Seen(app="guarded", by="operator", target="/1"), Seen(app="guarded", target="/2")),
    )


CASES: Final = tuple(_cases())
