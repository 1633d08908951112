"""What the tests of runtimes share: a sink that remembers, small programs, and looking at processes."""

import asyncio
import sys
import textwrap
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta

import psutil

from doorward_server.domain.apps import AppState, ProcessSource, Readiness
from doorward_server.domain.ids import AppId
from doorward_server.services.runtime import LogLine, Observation, Runtime

APP = AppId("3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11")
OTHER = AppId("7c9e6679-7425-40de-944b-e07fc1f90ae7")

DEADLINE = 20.0
"""Seconds that anything here may take at most; on a machine that is busy most of it is waiting."""

TCP = Readiness(period=timedelta(seconds=0.1))
HTTP = Readiness(path="/", period=timedelta(seconds=0.1))

SERVE = """
import os, socket
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
def serve(answer=lambda: b"HTTP/1.1 200 OK"):
    while True:
        connection, _ = server.accept()
        try:
            if connection.recv(4096):
                connection.sendall(answer() + b"\\r\\ncontent-length: 0\\r\\n\\r\\n")
        except OSError:
            pass
        connection.close()
"""
"""Listens on PORT; `serve()` answers as `answer()` says from then on."""


def program(*parts: str, **env: str) -> ProcessSource:
    """An app that is a Python program."""
    code = "\n".join(textwrap.dedent(part) for part in parts)
    return ProcessSource(command=(sys.executable, "-I", "-S", "-c", code), env=env)


SERVING = program(SERVE, "serve()")


class Recorder:
    """A sink that remembers what was reported, in order."""

    def __init__(self) -> None:
        self.seen: dict[AppId, list[Observation]] = defaultdict(list)
        self._changed = asyncio.Event()

    async def __call__(self, app_id: AppId, seen: Observation) -> None:
        self.seen[app_id].append(seen)
        self._changed.set()

    def states(self, app_id: AppId = APP) -> list[AppState]:
        """The states of an app until now."""
        return [each.state for each in self.seen[app_id]]

    async def until(self, state: AppState, *, times: int = 1, app_id: AppId = APP) -> Observation:
        """The observation with which *state* has been reported *times* times."""
        async with asyncio.timeout(DEADLINE):
            while True:
                found = [each for each in self.seen[app_id] if each.state is state]
                if len(found) >= times:
                    return found[times - 1]
                self._changed.clear()
                await self._changed.wait()


async def eventually(condition: Callable[[], bool]) -> None:
    """Return as soon as *condition* holds; it must before the deadline."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - another process cannot set an event
            await asyncio.sleep(0.02)


def wait_until(condition: Callable[[], bool]) -> None:
    """Return as soon as *condition* holds; it must before the deadline."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


def runs(pid: int) -> bool:
    """Whether a process runs: one that is a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def log_of(runtime: Runtime, app_id: AppId = APP, *, tail: int | None = None) -> list[LogLine]:
    """What is kept of an app's log."""
    return [line async for line in runtime.logs(app_id, tail=tail, follow=False)]


async def first_line(runtime: Runtime, start: str, *, app_id: AppId = APP) -> str:
    """The rest of the first line of an app's log that begins with *start*, as soon as it is there."""
    async with asyncio.timeout(DEADLINE):
        while True:
            for line in await log_of(runtime, app_id):
                if line.text.startswith(start):
                    return line.text.removeprefix(start)
            await asyncio.sleep(0.02)
