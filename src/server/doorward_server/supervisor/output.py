"""What the children print, on its way to the terminal or whatever stands for it."""

import contextlib
import os
import queue
import threading
from collections.abc import Callable
from typing import Final

_CAPACITY: Final = 10_000
_CLOSE_PATIENCE: Final = 1.0

Format = Callable[[str, bytes], bytes]
"""Makes what is written of a child's name and one line that it has printed, both without a newline."""


def as_it_is(name: str, line: bytes) -> bytes:  # noqa: ARG001 - a `Format`
    """The line alone: for logs that programs read."""
    return line


def named(name: str, line: bytes) -> bytes:
    """The line after the name of who printed it: for people."""
    return f"{name:<7} | ".encode() + line


class Output:
    """Writes whole lines to a file descriptor.

    From a thread of its own: a terminal that is held, or a pager that nobody scrolls, must not keep the
    supervisor from stopping its children. What does not fit in the queue meanwhile is counted and left out.
    """

    def __init__(self, descriptor: int = 2, *, line_format: Format = as_it_is) -> None:
        self._descriptor = descriptor
        self._format = line_format
        self._lines: queue.Queue[bytes | None] = queue.Queue(_CAPACITY)
        self._left_out = 0
        self._thread = threading.Thread(target=self._write, name="output", daemon=True)
        self._thread.start()

    def line(self, name: str, line: bytes) -> None:
        """Write what the child *name* has printed."""
        self._put(self._format(name, line))

    def say(self, text: str) -> None:
        """Write a line of the supervisor's own."""
        self._put(f"doorward: {text}".encode())

    def close(self) -> None:
        """Write what is still waiting, if somebody takes it."""
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=_CLOSE_PATIENCE)
        self._thread.join(_CLOSE_PATIENCE)

    def _put(self, line: bytes) -> None:
        try:
            if self._left_out:
                note = f"doorward: {self._left_out} lines were left out: nobody took them".encode()
                self._lines.put_nowait(note)
                self._left_out = 0
            self._lines.put_nowait(line)
        except queue.Full:
            self._left_out += 1

    def _write(self) -> None:
        # When nobody is there any more to read, there is nobody to tell either.
        with contextlib.suppress(OSError):
            while (line := self._lines.get()) is not None:
                left = memoryview(line + b"\n")
                while left:
                    left = left[os.write(self._descriptor, left) :]
