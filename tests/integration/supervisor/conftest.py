"""Fixtures of the supervisor's tests."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from doorward_server.supervisor import Output, named
from tests.integration.runtimes.support import eventually
from tests.integration.supervisor.family import Family


@pytest.fixture(autouse=True)
async def nothing_left_behind() -> AsyncIterator[None]:
    """Fail a test that leaves a process, a zombie or a task."""
    me = psutil.Process()
    tasks, children = asyncio.all_tasks(), set(me.children(recursive=True))
    yield
    await eventually(lambda: asyncio.all_tasks() - tasks == {asyncio.current_task()})
    assert set(me.children(recursive=True)) <= children


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    """Nobody yet."""
    written = tmp_path / "written"
    with written.open("wb") as file:
        output = Output(file.fileno(), line_format=named)
        yield Family(tmp_path, output, written)
        output.close()
