"""Until when this replica may decide."""

import math

from doorward_server.services.boottime import BootClock


class Lease:
    """Runs from the sending of the newest answered message. Written by one thread, read by any.

    A lease that was never granted has run out.
    """

    __slots__ = ("_clock", "_sent_at", "_until")

    def __init__(self, clock: BootClock) -> None:
        self._clock = clock
        self._until = -math.inf
        self._sent_at = clock()

    def renew(self, sent_at: float, duration: float) -> None:
        """The message that was sent at *sent_at* was answered; *duration* is in seconds, 0: for ever."""
        self._sent_at = sent_at
        self._until = sent_at + duration if duration else math.inf

    @property
    def fresh(self) -> bool:
        """Whether a decision may be made now."""
        return self._clock() < self._until

    @property
    def time_left(self) -> float:
        """Seconds until it runs out; 0 when it has."""
        return max(0.0, self._until - self._clock())

    @property
    def age(self) -> float:
        """Seconds since the newest answered message was sent; since this was made, where there is none."""
        return self._clock() - self._sent_at
