"""The header `Cookie`, against one that is taken apart letter by letter."""

from collections.abc import Callable, Sequence

from doorward_server.domain.cookies import SESSION_COOKIE, Cookies, read_cookies
from doorward_server.domain.presented import Malformed
from tests.fuzz.target import Target

Read = Callable[[Sequence[bytes]], Cookies]

_OURS = SESSION_COOKIE.encode()
_SPACES = b" \t\n\r\v\f"


def pairs_of(header: bytes) -> list[tuple[bytes, bytes]]:
    """The names and values of all cookies that hold anything, without the spaces around them."""
    pairs, name, value, in_value = [], bytearray(), bytearray(), False
    for letter in header + b";":
        if letter == ord(";"):
            if in_value or name.strip(_SPACES):
                pairs.append((bytes(name).strip(_SPACES), bytes(value).strip(_SPACES)))
            name, value, in_value = bytearray(), bytearray(), False
        elif letter == ord("=") and not in_value:
            in_value = True
        else:
            (value if in_value else name).append(letter)
    return pairs


def check(data: bytes, *, read: Read = read_cookies) -> None:
    """Ours is found exactly where it is, never left, and all that is not ours stays."""
    headers = data.split(b"\n")
    sent = pairs_of(b"; ".join(headers))
    ours = [value for name, value in sent if name == _OURS]
    found = read(headers)
    match ours:
        case []:
            assert found == Cookies(None, b"; ".join(headers))
        case [value]:
            assert found.session == value
        case _:
            assert found.session is Malformed.REPEATED
    assert pairs_of(found.rest) == [(name, value) for name, value in sent if name != _OURS]


def _second_left(headers: Sequence[bytes]) -> Cookies:
    """Cuts out the first alone."""
    header = b"; ".join(headers)
    found = read_cookies(headers)
    if found.session is not Malformed.REPEATED:
        return found
    before, _, after = header.partition(_OURS)
    return Cookies(found.session, before + after.partition(b";")[2])


TARGET = Target(
    name="cookies",
    check=check,
    planted=lambda data: check(data, read=_second_left),
    words=(_OURS, _OURS + b"=", b"; ", b"=", b'"', b",", b"\n", b"\t", b"\0", b"$Version=1", _OURS.lower()),
)
