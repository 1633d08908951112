"""Pages of lists that are ordered newest first (AIP-158)."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, TypeVar

from doorward_server.domain.errors import InvalidValueError, Violations
from doorward_server.services.ports import Position

T = TypeVar("T")

DEFAULT_PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 1000

_MAC_LENGTH = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some entries of a list, and the token of the next page, empty on the last one."""

    entries: Sequence[T]
    next_page_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which page of a list a caller wants, as sent."""

    size: int = 0
    token: str = ""


class Pager:
    """Makes and reads page tokens.

    A token holds the place of the last entry and is authenticated together with the list and its filters:
    with others it is refused, so that no page is of a mixture.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def window(self, request: PageRequest, *filters: object) -> "Window":
        """What to read for a page; *filters* names the list and its filters.

        Raises `InvalidFieldsError`.
        """
        found = Violations()
        if request.size < 0:
            found.add("page_size", "must not be negative")
        after = None
        with found.field("page_token"):
            after = self._position(request.token, filters)
        found.raise_if_any()
        return Window(self, min(request.size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE), after, filters)

    def token(self, position: Position, filters: tuple[object, ...]) -> str:
        """The token of the page that begins after *position*."""
        body = json.dumps([(position.time - _EPOCH) // timedelta(microseconds=1), position.id]).encode()
        return base64.urlsafe_b64encode(self._mac(body, filters) + body).decode("ascii")

    def _position(self, token: str, filters: tuple[object, ...]) -> Position | None:
        if not token:
            return None
        try:
            raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise InvalidValueError("is not a page token of this server") from None
        mac, body = raw[:_MAC_LENGTH], raw[_MAC_LENGTH:]
        if not hmac.compare_digest(mac, self._mac(body, filters)):
            raise InvalidValueError("is not a page token of this list with these filters")
        microseconds, entry = json.loads(body)
        return Position(_EPOCH + timedelta(microseconds=microseconds), entry)

    def _mac(self, body: bytes, filters: tuple[object, ...]) -> bytes:
        keyed = hashlib.blake2b(repr(filters).encode(), key=self._key, digest_size=_MAC_LENGTH)
        keyed.update(b"\0" + body)
        return keyed.digest()


@dataclass(frozen=True, slots=True)
class Window:
    """What to read for one page: at most `limit` entries after the position `after`."""

    _pager: Pager
    _size: int
    after: Position | None
    _filters: tuple[object, ...]

    @property
    def limit(self) -> int:
        """One more than the page has, which tells whether another page follows."""
        return self._size + 1

    def page(self, entries: Sequence[T], place: Callable[[T], Position]) -> Page[T]:
        """The page, from at most `limit` *entries*; *place* tells where an entry stands in the list."""
        if len(entries) <= self._size:
            return Page(entries, "")
        shown = entries[: self._size]
        return Page(shown, self._pager.token(place(shown[-1]), self._filters))
