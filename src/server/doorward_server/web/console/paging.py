"""Lists in pages. Api's page tokens lead forward alone; back is the browser's button."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

PAGE_SIZE: Final = 25


@dataclass(frozen=True, slots=True)
class Pager:
    """Where the other pages of a list are."""

    first: str | None
    """None: this is it."""
    next: str | None
    """None: this is the last one."""


def pager(path: str, query: Iterable[tuple[str, str]], *, page: str, next_page: str) -> Pager:
    """The pages of the list at *path*, filtered by *query*.

    *page* and *next_page*: the page token of this page and of the next; empty on the first and on the last.
    """
    kept = [(name, value) for name, value in query if value]
    return Pager(
        first=_address(path, kept) if page else None,
        next=_address(path, [*kept, ("page", next_page)]) if next_page else None,
    )


def _address(path: str, query: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
