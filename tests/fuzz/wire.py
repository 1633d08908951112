"""CheckRequests, read off the wire by the words of protobuf's encoding guide, without its library.

Whatever a check does not depend on may be broken here. A message that comes in pieces is what the pieces make
together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_VARINT: Final = 0
_WITH_LENGTH: Final = 2
_LENGTHS: Final = {1: 8, 3: 0, 4: 0, 5: 4}
_DEPTHS: Final = {3: 1, 4: -1}
"""A group begins, and ends."""


class UnreadableError(Exception):
    """Not the encoding of a message."""


@dataclass(frozen=True)
class WireRequest:
    """What a check depends on."""

    method: str
    host: str
    path: str
    headers: list[tuple[str, bytes]]
    """Each header as often as it was sent, where Envoy passes them on so; else joined ones."""
    route: dict[str, str]
    """The context extensions."""

    def sent(self, name: str) -> list[bytes]:
        """The values of a header."""
        return [value for each, value in self.headers if each.lower() == name]


def read_check_request(payload: bytes) -> WireRequest:
    """Read one; raises `UnreadableError`."""
    attributes = _message(payload, 1)
    http = _message(attributes, 4, 2)
    listed = [
        (_text(header, 1), _last(header, 3) or _last(header, 2)) for header in _all(_message(http, 13), 1)
    ]
    joined = {_text(entry, 1): _last(entry, 2) for entry in _entries(http, 3)}
    return WireRequest(
        method=_text(http, 2),
        host=_text(http, 5),
        path=_text(http, 4),
        headers=listed or list(joined.items()),
        route={_text(entry, 1): _text(entry, 2) for entry in _entries(attributes, 10)},
    )


def _message(data: bytes, *path: int) -> bytes:
    """A message within messages. Its pieces one after another are its encoding."""
    for number in path:
        data = b"".join(_all(data, number))
    return data


def _text(data: bytes, number: int) -> str:
    return _last(data, number).decode("utf-8", "replace")


def _last(data: bytes, number: int) -> bytes:
    return next(reversed(_all(data, number)), b"")


def _entries(data: bytes, number: int) -> list[bytes]:
    """The entries of a map. The library leaves one aside that holds more than a key and a value."""
    known = {(1, _WITH_LENGTH), (2, _WITH_LENGTH)}
    return [entry for entry in _all(data, number) if all(field[:2] in known for field in _fields(entry))]


def _all(data: bytes, number: int) -> list[bytes]:
    return [value for each, kind, value in _fields(data) if (each, kind) == (number, _WITH_LENGTH)]


def _fields(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The number, kind and value of each field; of a group, its end alone."""
    at, depth = 0, 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            length = _varint(data, at)[1] - at
        elif kind == _WITH_LENGTH:
            length, at = _varint(data, at)
        else:
            length = _length(kind)
        depth += _DEPTHS.get(kind, 0)
        if at + length > len(data) or depth < 0:
            raise UnreadableError
        if not depth:
            yield number, kind, data[at : at + length]
        at += length
    if depth:
        raise UnreadableError


def _length(kind: int) -> int:
    if kind not in _LENGTHS:
        raise UnreadableError
    return _LENGTHS[kind]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for place in range(10):
        if at + place >= len(data):
            break
        byte = data[at + place]
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return number, at + place + 1
    raise UnreadableError
