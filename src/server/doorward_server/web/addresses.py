"""Addresses within one host, to lead a browser back to after a login."""

import re
from typing import Final
from urllib.parse import unquote

HOME: Final = "/"
LONGEST: Final = 2048
"""Characters."""

CORNER: Final = "/.doorward"
"""What Doorward's own pages begin with, on every app's host."""

# What browsers put into a request target: no space, control character, backslash or fragment.
_TARGET: Final = re.compile(r"/[!$%&'()*+,./0-9:;=?@A-Z\[\]^_`a-z|{}~\"<>-]*")
_DECODINGS: Final = 4


def safe_next(wanted: str) -> str:
    """*wanted*, if it is a path and query of the same host for sure; else the home.

    Refused is what some browser, or some server that decodes once more than it should, could take for the
    address of another host (two slashes, or one and a backslash, at whatever depth of encoding or behind dot
    segments), and Doorward's own pages.
    """
    if len(wanted) > LONGEST or not _TARGET.fullmatch(wanted):
        return HOME
    path = wanted.partition("?")[0]
    for _ in range(_DECODINGS):
        if _leads_away(path):
            return HOME
        path = unquote(path, "latin-1")
    return HOME if "%" in path and unquote(path, "latin-1") != path else wanted


def _leads_away(path: str) -> bool:
    if not path.isprintable() or "\\" in path:
        return True
    kept: list[str] = []
    for segment in path[1:].split("/"):
        if segment == "..":
            kept[-1:] = []
        elif segment != ".":
            kept.append(segment)
    # An empty first segment, with more behind it, is the "//" of another host.
    return (len(kept) > 1 and not kept[0]) or "/".join(("", *kept[:1])) == CORNER
