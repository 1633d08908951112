"""Floods over HTTP/2: who sends one is cut off, and nobody else notices."""

from typing import Final

from tests.e2e.conformance.case import Exchange, Expected, answer
from tests.e2e.conformance.http2 import Continuations, Headers, Http2, RapidResets, request
from tests.e2e.conformance.rows import refused

_FLOOD: Final = "CVE-2024-27919; CVE-2024-30255"

FLOODS: Final[dict[str, tuple[Exchange, Expected, str, str]]] = {
    "rapid-reset": (
        Http2((RapidResets(fields=request(without="authorization"), count=2000),)),
        answer(None),
        "Who takes back every request is cut off.",
        "CVE-2023-44487",
    ),
    "continuation-flood": (
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
    "continuation-flood-small": (
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
    "continuation-flood-empty": (
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
"""Each with its answer, the rule, and the source of the rule."""

CASES: Final = tuple(refused("flood", FLOODS))
