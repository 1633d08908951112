"""The calls that are being answered, and how they end when the server is told to stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from doorward_server.policy.v1 import policy_pb2
from doorward_server.rpc.calls import CallState, Context
from doorward_server.rpc.failures import ServerStoppingError

_POLICY_STREAMS: Final = tuple(
    f"/{service.full_name}/" for service in policy_pb2.DESCRIPTOR.services_by_name.values()
)


class RunningCalls:
    """Knows which calls run. Streams would hold up a stop for ever, so they are ended.

    Those of callers go first. Those of replicas stay while a call with one answer runs, for it may wait until
    the replicas have acknowledged what it changed.
    """

    def __init__(self) -> None:
        self._unary = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._of_callers = _Streams()
        self._of_replicas = _Streams()

    @asynccontextmanager
    async def layer(self, state: CallState, _context: Context) -> AsyncIterator[None]:
        """Have the call known; raises `ServerStoppingError` in a stream that is to end."""
        if state.streaming:
            of_replica = state.method.startswith(_POLICY_STREAMS)
            async with (self._of_replicas if of_replica else self._of_callers).entered():
                yield
            return
        self._unary += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._unary -= 1
            if not self._unary:
                self._idle.set()

    def end_streams_of_callers(self) -> None:
        """End the streams of callers, those that are opened from now on included."""
        self._of_callers.end()

    def end_streams_of_replicas(self) -> None:
        """End the streams of replicas, those that are opened from now on included."""
        self._of_replicas.end()

    async def idle(self) -> None:
        """Return when no call with one answer runs."""
        await self._idle.wait()


class _Streams:
    """Streams that end together."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()
        self._ended = False

    def end(self) -> None:
        self._ended = True
        for task in self._tasks:
            task.cancel()

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        task = asyncio.current_task()
        if self._ended or task is None:
            raise ServerStoppingError
        self._tasks.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if self._ended_by_us(task):
                raise ServerStoppingError from None
            raise
        finally:
            self._tasks.discard(task)

    def _ended_by_us(self, task: asyncio.Task[object]) -> bool:
        # As `asyncio.timeout` does it: our cancellation is taken back, somebody else's is not.
        return self._ended and task.uncancel() == 0
