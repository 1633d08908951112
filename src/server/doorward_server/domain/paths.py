"""Paths of requests, compared with an app's operator paths.

The app's own parser decides what a path means to it, and parsers differ. So a path that two parsers could
read in two ways is not compared but refused, and what is left is compared as the laxest parser would.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from doorward_server.domain.errors import InvalidValueError

MAX_OPERATOR_PATHS: Final = 32
"""How many operator paths an app may have."""

_MAX_LENGTH: Final = 256
_AMBIGUOUS = re.compile(
    r"""
      %(?![0-9A-Fa-f]{2})         # a broken escape
    | %(?:2[fFeE]|5[cC]|3[bB])    # an escaped slash, dot, backslash or semicolon
    | %(?:3[fF]|23)               # an escaped question or number sign: where does the path end?
    | %25                         # an escaped percent sign: decoded once or twice?
    | //                          # an empty segment
    | \.(?=/|$)                   # a dot segment, or a dot at a segment's end, which Windows drops
    | /%20 | %20(?=/|$)           # a space at a segment's begin or end, which some strip
    | [\\;#]                      # a separator to some: Windows, servlet path parameters, fragments
    | [^\x21-\x7e]                # a control character, a space, or what is not ASCII and not escaped
    """,
    re.VERBOSE,
)
_SEPARATORS: Final = "/\\.;%?# "


def path_of(target: str) -> str:
    """The path of a request target, without the query. A fragment, which no request has, is left in."""
    return target.partition("?")[0]


def is_ambiguous(path: str) -> bool:
    """Whether two parsers could read *path* in two ways. An empty path is one that no request line has."""
    if not path.startswith("/") or _AMBIGUOUS.search(path):
        return True
    if "%" not in path:
        return False
    try:
        decoded = unquote(path, errors="strict")
    except UnicodeDecodeError:
        # Latin-1 to some; and an overlong `%c0%af` was a slash to others (CVE-2000-0884, CVE-2008-2938).
        return True
    # What is not printable is dropped by some: HFS+ reads "ad\u00admin" as "admin" (CVE-2014-9390).
    if not decoded.isprintable():
        return True
    # A full-width slash is a slash after normalisation, or in a Windows code page.
    folded = _folded(decoded)
    return any(folded.count(sign) != decoded.count(sign) for sign in _SEPARATORS)


def is_under(path: str, prefixes: Iterable[str]) -> bool:
    """Whether a path that is not ambiguous lies under one of *prefixes*, by whole segments.

    Escapes are decoded, and case and Unicode's compatible forms are ignored, since some app may do either:
    `/%61dmin`, `/Admin` and a full-width `/admin` lie under `/admin`.
    """
    seen = _folded(unquote(path)).rstrip("/") + "/"
    return any(seen.startswith(_folded(prefix).rstrip("/") + "/") for prefix in prefixes)


def _folded(text: str) -> str:
    """The form that all spellings of *text* share. Upper case first: that of the dotless i is I."""
    return unicodedata.normalize("NFKC", text).upper().casefold()


def parse_operator_path(text: str) -> str:
    """Parse a path prefix that needs OPERATOR; raises `InvalidValueError`."""
    if not text.startswith("/"):
        raise InvalidValueError("must begin with '/'")
    if len(text) > _MAX_LENGTH:
        raise InvalidValueError(f"must have at most {_MAX_LENGTH} characters, has {len(text)}")
    if is_ambiguous(text) or "%" in text or "?" in text:
        raise InvalidValueError(
            "must be a plain path in printable ASCII: no escapes, query, fragment, empty segments,"
            " dots at the end of a segment, ';' or '\\'"
        )
    return text
