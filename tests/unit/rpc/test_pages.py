"""Pages that callers can take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.v1.app_service_pb2 import ReadAppLogsResponse
from doorward_server.rpc.conversion import pages
from doorward_server.rpc.conversion.pages import fetch_page
from doorward_server.services.pages import Page, PageRequest


@given(lengths=st.lists(st.integers(0, 50), max_size=20), size=st.integers(1, 10))
async def test_pages_are_of_bounded_size_and_lose_nothing(lengths: list[int], size: int) -> None:
    """One after the other they have every entry once, as many at a time as fit."""

    async def fetch(request: PageRequest) -> Page[int]:
        begin = int(request.token or 0)
        end = begin + request.size
        return Page(range(begin, min(end, len(lengths))), str(end) if end < len(lengths) else "")

    def write(entry: int) -> ReadAppLogsResponse:
        return ReadAppLogsResponse(line="x" * lengths[entry])

    seen, token = [], ""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pages, "MAX_PAGE_BYTES", 60)
        while True:
            messages, token = await fetch_page(fetch, write, size=size, token=token)
            assert len(messages) <= size
            assert len(messages) <= 1 or sum(message.ByteSize() for message in messages) <= 60
            seen += [len(message.line) for message in messages]
            if not token:
                break
            assert messages
    assert seen == lengths
