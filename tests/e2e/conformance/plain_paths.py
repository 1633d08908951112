"""Paths where none matters to the gateway: the app gets them as they are, but for the gateway's own."""

from collections.abc import Iterator
from typing import Final

from tests.e2e.conformance.case import ALLOWED, Case, Seen, answer
from tests.e2e.conformance.http1 import get
from tests.e2e.conformance.rows import accepted, refused

_BEARER: Final = "Authorization: Bearer <token>"
_NORMAL: Final = "RFC 3986 §6.2.2"

UNTOUCHED: Final[dict[str, str]] = {
    "escaped-slash": "/models/org%2Fname:generate",
    "double-slash": "/a//b",
    "slashes-alone": "//a///",
    "escaped-backslash": "/a%5Cb",
    "escapes": "/a%20b%2c%3B",
    "parameters": "/a;b=c/d;e",
    "latin-1": "/%C3%A9/%e9",
    "broken-escape": "/100%",
    "wild-query": "/a?x=%zz&&y=//../.\\&z=%41+%2B",
    "empty-query": "/?",
    "dots-in-the-query": "/a?/../b",
    "dots-behind": "/a/b...",
    "longer-than-the-reserved-one": "<reserved-path>x",
    "16-kib": "/<times 16384 a>",
    "16-kib-of-query": "/?<times 16384 a>",
}
"""Paths that an app without operator paths gets byte for byte."""

NORMAL: Final[dict[str, tuple[str, str]]] = {
    "dots": ("/a/../b", "/b"),
    "escaped-dots": ("/a/%2e%2E/b", "/b"),
    "one-dot": ("/a/./b", "/a/b"),
    "backslash": ("/a\\b", "/a/b"),
    "escaped-letters": ("/%41%7e", "/A~"),
    "above-the-root": ("/../../etc/passwd", "/etc/passwd"),
    "double-slash-and-dots": ("/x//../admin", "/x/admin"),
}
"""Paths that have one normal form, and that form, which the app gets."""

RESERVED: Final[dict[str, str]] = {
    "itself": "<reserved-path>",
    "with-a-slash": "<reserved-path>/",
    "below": "<reserved-path>/login?next=/",
    "escaped": "/<escaped <reserved-name>>/x",
    "through-dots": "/x/..<reserved-path>/x",
    "through-escaped-dots": "/x/%2e%2e<reserved-path>/x",
    "through-one-dot": "/.<reserved-path>/x",
    "before-a-backslash": "<reserved-path>\\x",
}
"""Spellings of the gateway's own path."""

LIKE_RESERVED: Final[dict[str, str]] = {
    "double-slash": "/<reserved-path>/x",
    "escaped-slash": "<reserved-path>%2fx",
    "upper-case": "<upper <reserved-path>>/x",
    "escaped-slash-and-dots": "/..%2f<reserved-name>/x",
}
"""What only looks like it, and is the app's."""


def _cases() -> Iterator[Case]:
    yield from refused(
        "plain-path/reserved",
        {
            f"{name}{suffix}": (
                get(*headers, target=target),
                answer(200, 404) if name == "below" else answer(404),
                "The gateway's own path never reaches an app, with a token or without.",
                "docs/how-to/own-envoy.md",
            )
            for name, target in RESERVED.items()
            for suffix, headers in (("", ()), ("-with-a-token", (_BEARER,)))
        },
    )
    yield from refused(
        "plain-path/like-reserved",
        {
            name: (
                get(target=target),
                answer(401),
                "What only looks like the gateway's own path needs a token.",
                "docs/how-to/own-envoy.md",
            )
            for name, target in LIKE_RESERVED.items()
        },
    )
    yield from accepted(
        "plain-path/untouched",
        {
            name: (
                get(_BEARER, target=target),
                Seen(target=target),
                "Where no path matters to the gateway, the app gets it byte for byte.",
                "docs/how-to/own-envoy.md",
            )
            for name, target in (UNTOUCHED | LIKE_RESERVED).items()
        },
    )
    yield from accepted(
        "plain-path/normal",
        {
            f"{name}{suffix}": (
                get(_BEARER, target=target, host=f"<{app}>"),
                Seen(app=app, target=seen),
                "Where there is one normal form, that is decided on, and the app gets that.",
                _NORMAL,
            )
            for name, (target, seen) in NORMAL.items()
            for app, suffix in (("mine", ""), ("guarded", "-where-paths-matter"))
        },
    )
    yield Case(
        name="plain-path/original-path-forged",
        rule="What the gateway's own header says of a path does not come from the client.",
        source="CVE-2023-27487; CVE-2024-45806",
        exchange=get(_BEARER, "x-envoy-original-path: /admin", "x-envoy-original-method: DELETE"),
        answers=(ALLOWED,),
        seen=(Seen(headers={"x-envoy-original-path": (), "x-envoy-original-method": ()}),),
    )


CASES: Final = tuple(_cases())
