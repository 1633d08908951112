"""Lists that come page by page."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Page(Protocol):
    """An answer that may not be the last."""

    next_page_token: str


P = TypeVar("P", bound=Page)


class Pages(Generic[T, P]):
    """The items of a list, asked for while they are looked at. Each new iteration asks again, from the start.

    A change to the list meanwhile loses no item that was there all the time, and repeats none.
    """

    def __init__(self, fetch: Callable[[str], P], items: Callable[[P], Iterable[T]]) -> None:
        self._fetch = fetch
        self._items = items

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from self._items(page)

    def pages(self) -> Iterator[P]:
        """Yield the answers whole, with what they say besides the items."""
        page = self._fetch("")
        yield page
        while page.next_page_token:
            page = self._fetch(page.next_page_token)
            yield page


class AsyncPages(Generic[T, P]):
    """The items of a list, asked for while they are looked at. Each new iteration asks again, from the start.

    A change to the list meanwhile loses no item that was there all the time, and repeats none.
    """

    def __init__(self, fetch: Callable[[str], Awaitable[P]], items: Callable[[P], Iterable[T]]) -> None:
        self._fetch = fetch
        self._items = items

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in self._items(page):
                yield item

    async def pages(self) -> AsyncIterator[P]:
        """Yield the answers whole, with what they say besides the items."""
        page = await self._fetch("")
        yield page
        while page.next_page_token:
            page = await self._fetch(page.next_page_token)
            yield page
