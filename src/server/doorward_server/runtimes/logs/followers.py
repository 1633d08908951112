"""Who follows a log as it grows."""

import asyncio
from collections import deque
from collections.abc import Iterable

from doorward_server.services.runtime import LogLine


class Follower:
    """New lines on their way to one reader, who loses the oldest when too slow, and learns how many."""

    def __init__(self, capacity: int) -> None:
        """*capacity*: how many lines may wait."""
        self._waiting: deque[LogLine] = deque(maxlen=capacity)
        self._lost = 0
        self._ended = False
        self._changed = asyncio.Event()

    def push(self, lines: Iterable[LogLine]) -> None:
        """Add lines."""
        for line in lines:
            self._lost += len(self._waiting) == self._waiting.maxlen
            self._waiting.append(line)
        self._changed.set()

    def end(self) -> None:
        """Nothing comes any more."""
        self._ended = True
        self._changed.set()

    async def next(self) -> tuple[list[LogLine], int] | None:
        """What has come, and how many lines before it were lost; None at the end."""
        while not self._waiting:
            if self._ended:
                return None
            self._changed.clear()
            await self._changed.wait()
        lines, lost = list(self._waiting), self._lost
        self._waiting.clear()
        self._lost = 0
        return lines, lost
