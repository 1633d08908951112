"""How the parsers of apps read paths, the strange ones included."""

import ntpath
import posixpath
import re
import unicodedata
from collections.abc import Callable
from urllib.parse import unquote, unquote_plus, unquote_to_bytes, urlparse, urlsplit

OPERATOR_PATHS = ("/admin", "/api/v1")


def wsgi(path: str) -> str:
    """PEP 3333: bytes as Latin-1 in PATH_INFO, which frameworks then read as UTF-8."""
    return unquote_to_bytes(path).decode("latin-1").encode("latin-1").decode("utf-8", "replace")


def overlong(path: str) -> str:
    """A decoder of UTF-8 that does not insist on the shortest form."""

    def shortest(pair: re.Match[bytes]) -> bytes:
        first, second = pair[0]
        return bytes([(first & 0x1F) << 6 | second & 0x3F])

    return re.sub(rb"[\xc0\xc1][\x80-\xbf]", shortest, unquote_to_bytes(path)).decode("utf-8", "ignore")


def windows(path: str) -> str:
    """Backslashes are slashes, and dots and spaces at the end of a name are dropped."""
    names = unquote(path).replace("\\", "/").split("/")
    return "/".join(name.rstrip(". ") for name in names)


def without_parameters(path: str) -> str:
    """Servlet containers cut path parameters out of each segment."""
    return re.sub(r";[^/]*", "", unquote(path))


def invisible_dropped(path: str) -> str:
    """HFS+ ignores what is not visible."""
    return "".join(each for each in unquote(path) if unicodedata.category(each) != "Cf")


READINGS: tuple[Callable[[str], str], ...] = (
    str,
    unquote,
    lambda path: unquote(unquote(path)),
    unquote_plus,
    lambda path: unquote(path, encoding="latin-1"),
    lambda path: unicodedata.normalize("NFKC", unquote(path)),
    wsgi,
    overlong,
    lambda path: unquote(path.encode().decode("unicode_escape")) if "\\" in path else path,
    lambda path: unquote(path.split(";")[0]),
    without_parameters,
    lambda path: re.split(r"[?#]", unquote(path))[0],
    lambda path: urlparse(path).path,
    lambda path: urlsplit(path, allow_fragments=False).path,
    lambda path: urlparse(unquote(path)).path,
    windows,
    lambda path: ntpath.normpath(unquote(path)).replace("\\", "/"),
    invisible_dropped,
    lambda path: "/".join(segment.strip() for segment in unquote(path).split("/")),
    lambda path: unquote(path).partition("\0")[0],
)

FOLDINGS: tuple[Callable[[str], str], ...] = (
    str,
    str.lower,
    str.casefold,
    lambda text: text.upper().lower(),
    lambda text: unicodedata.normalize("NFKC", text).casefold(),
)

LAYOUTS: tuple[Callable[[str], str], ...] = (
    str,
    posixpath.normpath,
    lambda path: posixpath.normpath(f"/{path.lstrip('/')}"),
    lambda path: re.sub("/+", "/", path),
    lambda path: posixpath.normpath(re.sub("/+", "/", path)),
)


def reached(path: str) -> list[str]:
    """The operator paths that some parser reaches by *path*. One that refuses the path reaches none."""
    seen = {
        folded
        for reading in READINGS
        for read in _attempt(reading, path)
        for layout in LAYOUTS
        for fold in FOLDINGS
        if (folded := fold(layout(read)))
    }
    return [
        prefix
        for prefix in OPERATOR_PATHS
        for each in seen
        if each == prefix or each.startswith(f"{prefix}/")
    ]


def _attempt(reading: Callable[[str], str], path: str) -> tuple[str, ...]:
    try:
        return (reading(path),)
    except ValueError:
        return ()
