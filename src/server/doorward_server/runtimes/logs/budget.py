"""How much of a flood is kept."""

from collections.abc import Callable
from typing import Final

_LINE_COST: Final = 64
"""What a line costs on top of its bytes, in bytes: short lines take most of the time."""


class Budget:
    """A token bucket of bytes, so that an app that prints without end costs little more than reading it."""

    def __init__(self, *, rate: float, burst: float, clock: Callable[[], float]) -> None:
        """*rate*: bytes a second; *burst*: bytes at once. *clock* counts seconds."""
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._left = burst
        self._then = clock()

    def open(self) -> bool:
        """Whether more may be kept."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._then) * self._rate)
        self._then = now
        return self._left > 0

    def spend(self, *, bytes_: int, lines: int) -> None:
        """Count what was kept."""
        self._left -= bytes_ + lines * _LINE_COST
