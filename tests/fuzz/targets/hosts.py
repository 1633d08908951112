"""Hosts of apps, against a parser that looks at one character after the other."""

from collections.abc import Callable

from doorward_server.domain.hosts import app_host, split_app_host
from tests.fuzz.target import Target
from tests.unit.domain.decision_oracle import APP_IDS
from tests.unit.domain.policies import DOMAINS

Split = Callable[[str], tuple[str, str] | None]

_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = _UPPER.lower()
_DIGITS = "0123456789"
_HYPHENS = (8, 13, 18, 23)


def read_host(host: str) -> tuple[str, str] | None:
    """The id and the domain, by the words of the documentation."""
    name, colon, port = host.partition(":")
    if colon and not (1 <= len(port) <= 5 and all(digit in _DIGITS for digit in port)):
        return None
    lowered = "".join(_LOWER[_UPPER.index(each)] if each in _UPPER else each for each in name)
    app_id, *labels = lowered.removesuffix(".").split(".")
    if not (_is_uuid(app_id) and labels and all(map(_is_dns_label, labels))):
        return None
    return app_id, ".".join(labels)


def _is_uuid(text: str) -> bool:
    return len(text) == 36 and all(
        (letter == "-") if place in _HYPHENS else (letter in _DIGITS + "abcdef")
        for place, letter in enumerate(text)
    )


def _is_dns_label(text: str) -> bool:
    allowed = all(letter in _LOWER + _DIGITS + "-" for letter in text)
    return allowed and 1 <= len(text) <= 63 and "-" not in (text[0], text[-1])


def check(data: bytes, *, split: Split = split_app_host) -> None:
    """Both read the same, and what is read leads back to the host."""
    host = data.decode("utf-8", "surrogateescape")
    found = split(host)
    assert found == read_host(host)
    if found is not None:
        assert split(app_host(*map(str, found))) == found  # type: ignore[arg-type]


def _userinfo_ignored(host: str) -> tuple[str, str] | None:
    return split_app_host(host.rpartition("@")[2])


TARGET = Target(
    name="hosts",
    check=check,
    planted=lambda data: check(data, split=_userinfo_ignored),
    words=(
        *(app_id.encode() for app_id in APP_IDS),
        *(f".{domain}".encode() for domain in DOMAINS.values()),
        *(
            b":8080",
            b".",
            b"..",
            b"@",
            b"[",
            b"::1]",
            b",",
            b"\0",
            b"\r\n",
            b"xn--",
            b"\xc5\xbf",
            b"\xe2\x84\xaa",
        ),
        *(b"\xef\xbc\x8e", b"\xe3\x80\x82", b"\xd9\xa8"),
    ),
)
