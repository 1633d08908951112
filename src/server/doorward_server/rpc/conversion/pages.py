"""Pages of lists, no larger than callers take."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from google.protobuf.message import Message

from doorward_server.services.pages import Page, PageRequest

T = TypeVar("T")
M = TypeVar("M", bound=Message)

MAX_PAGE_BYTES: Final = 3 << 20
"""gRPC's clients take 4 MiB by default."""


async def fetch_page(
    fetch: Callable[[PageRequest], Awaitable[Page[T]]], write: Callable[[T], M], *, size: int, token: str
) -> tuple[list[M], str]:
    """The messages of a page and the token of the next one, shorter than *size* where they are long.

    A page may always be shorter than was asked for (AIP-158). It has one message at least.
    """
    page = await fetch(PageRequest(size=size, token=token))
    messages = [write(entry) for entry in page.entries]
    fitting = _fitting(messages)
    if fitting < len(messages):
        # Asked for again, so that the next page begins behind the last message of this one.
        page = await fetch(PageRequest(size=fitting, token=token))
        messages = [write(entry) for entry in page.entries]
    return messages, page.next_page_token


def _fitting(messages: list[M]) -> int:
    """How many of the messages fit into one answer, one at least."""
    room = MAX_PAGE_BYTES
    for count, message in enumerate(messages):
        room -= message.ByteSize()
        if room < 0:
            return max(count, 1)
    return len(messages)
