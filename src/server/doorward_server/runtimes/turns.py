"""Looking after many with little: each has its turn, and few have it at once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

_ARREARS: Final = 0.1
"""Seconds whose turns are still given when nobody wanted them in time, or a busy event loop came late."""

_Queue = deque[asyncio.Future[None]]


class Turns:
    """No more than so many have their turn at once, and no more than so many a second begin one.

    Where more want one they wait, first come first served, so that none is left out. Those in a hurry have
    every other turn while both wait, so that neither a crowd in a hurry nor one without holds up the other.
    """

    def __init__(self, *, at_once: int, per_second: float) -> None:
        self._free = at_once
        self._gap = 1 / per_second
        self._slot = 0.0
        """When the next turn may begin, on the event loop's clock."""
        self._hurried: _Queue = deque()
        self._others: _Queue = deque()
        self._last: _Queue = self._others
        self._alarm: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def turn(self, *, hurry: bool) -> AsyncIterator[None]:
        """Wait for a turn and have it inside this block. Whoever is cancelled while waiting takes none."""
        begun = asyncio.get_running_loop().create_future()
        (self._hurried if hurry else self._others).append(begun)
        self._begin_turns()
        try:
            await begun
            yield
        finally:
            # Also of one that was cancelled just after its turn had come.
            if begun.done() and not begun.cancelled():
                self._free += 1
                self._begin_turns()

    def _begin_turns(self) -> None:
        loop = asyncio.get_running_loop()
        while self._free and self._alarm is None and (queue := self._whose_turn()) is not None:
            if self._slot > loop.time():
                self._alarm = loop.call_at(self._slot, self._wake)
                return
            self._slot = max(self._slot, loop.time() - _ARREARS) + self._gap
            self._free -= 1
            queue.popleft().set_result(None)
            self._last = queue

    def _wake(self) -> None:
        self._alarm = None
        self._begin_turns()

    def _whose_turn(self) -> "_Queue | None":
        in_order = (
            (self._others, self._hurried) if self._last is self._hurried else (self._hurried, self._others)
        )
        for queue in in_order:
            while queue and queue[0].cancelled():
                queue.popleft()
            if queue:
                return queue
        return None
