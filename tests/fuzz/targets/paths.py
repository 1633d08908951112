"""Paths of requests, against what the parsers of apps make of them."""

from collections.abc import Callable, Iterable

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.paths import is_ambiguous, is_under, parse_operator_path, path_of
from tests.fuzz.target import Target
from tests.unit.domain.path_readings import OPERATOR_PATHS, reached

Under = Callable[[str, Iterable[str]], bool]


def check(data: bytes, *, under: Under = is_under) -> None:
    """What is neither ambiguous nor under an operator path is not there for any parser either."""
    target = data.decode("utf-8", "surrogateescape")
    path = path_of(target)
    if not is_ambiguous(path) and not under(path, OPERATOR_PATHS):
        assert not reached(path)
    try:
        prefix = parse_operator_path(target)
    except InvalidValueError:
        return
    assert not is_ambiguous(prefix)
    for spelled in (prefix, prefix.rstrip("/") + "/x", prefix.upper()):
        assert under(spelled, [prefix]), "an operator path that does not guard itself"


def _case_heeded(path: str, prefixes: Iterable[str]) -> bool:
    return any(f"{path}/".startswith(f"{prefix}/") for prefix in prefixes)


TARGET = Target(
    name="paths",
    check=check,
    planted=lambda data: check(data, under=_case_heeded),
    words=(
        *(b"/admin", b"/api/v1", b"/aDMIN", b"/api", b"/v1", b"%2f", b"%5c", b"%2e", b"%25", b"%61", b"%41"),
        *(
            b"/../",
            b"/./",
            b"//",
            b";",
            b"\\",
            b"?",
            b"#",
            b"%00",
            b"%20",
            b"%c0%af",
            b"%EF%BC%8F",
            b"%C2%AD",
        ),
        *(b"%C4%B1", b"%C5%BF", b"%EF%BD%81", b"\xef\xbc\x8f", b"%E2%80%8C", b"\\u002f", b"\\x2f"),
    ),
)
