"""Runtimes for tests, and the promise that each test leaves nothing behind."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from doorward_server.runtimes import ProcessOptions, ProcessRuntime, RestartPolicy
from tests.integration.runtimes.support import DEADLINE, Recorder, eventually

QUICK = ProcessOptions(
    startup_timeout=DEADLINE,
    stop_grace=DEADLINE,
    restarts=RestartPolicy(first_delay=0.05, factor=1.2, crashes=4, window=60.0),
)


@pytest.fixture(autouse=True)
async def nothing_left_behind() -> AsyncIterator[None]:
    """Fail a test that leaves a process, a zombie, a file descriptor or a task."""
    me = psutil.Process()
    # What the event loop and its threads open for themselves is open from here on.
    await asyncio.to_thread(int)
    descriptors, tasks, children = me.num_fds(), asyncio.all_tasks(), set(me.children(recursive=True))
    yield
    gc.collect()
    # The fixture itself is a task of its own before and after the test.
    await eventually(lambda: asyncio.all_tasks() - tasks == {asyncio.current_task()})
    assert set(me.children(recursive=True)) <= children
    assert me.num_fds() <= descriptors


@pytest.fixture
def sink() -> Recorder:
    """Where what is seen of apps is reported."""
    return Recorder()


@pytest.fixture
async def runtime(tmp_path: Path, sink: Recorder) -> AsyncIterator[ProcessRuntime]:
    """Runs processes, is patient with them, and restarts them at once."""
    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=QUICK)
    yield runtime
    await runtime.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The DNS: what each name resolves to, from now on."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *args: object, **kwargs: object) -> list[object]:
        addresses = known.get(host, [host])
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [found for each in addresses for found in real(each, *args, **kwargs)]  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known
