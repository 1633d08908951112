"""Reading what a program prints, always: a full pipe would stop it."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import Final

_CHUNK: Final = 16 * 1024
"""Bytes read at once: a flood of empty lines takes a few milliseconds of the loop, not more."""


class OutputPipe:
    """A pipe whose one end is given to programs, and whose other end is read by the event loop."""

    def __init__(self, received: Callable[[bytes], None]) -> None:
        """*received* is called in the event loop with each piece that was read; it must not block."""
        self._received = received
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._read_end, self._on_readable)

    @property
    def write_end(self) -> int:
        """The descriptor for the program."""
        return self._write_end

    def close_write_end(self) -> None:
        """To be called when the program has its copy, so that its end can be noticed."""
        if self._write_end >= 0:
            os.close(self._write_end)
            self._write_end = -1

    async def drained(self, patience: float) -> None:
        """Return when all was read and the pipe is closed.

        After *patience* seconds it is closed regardless: a program that has left its process group may
        hold it open for ever.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._ended.wait()
        self.close()

    def close(self) -> None:
        """Close both ends. Idempotent."""
        self.close_write_end()
        if self._read_end >= 0:
            self._loop.remove_reader(self._read_end)
            os.close(self._read_end)
            self._read_end = -1
        self._ended.set()

    def _on_readable(self) -> None:
        # One piece a turn, so that a flood from one program leaves the loop time for everything else.
        try:
            data = os.read(self._read_end, _CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        if data:
            self._received(data)
        else:
            self.close()
