"""Ports for apps."""

import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Final

LOOPBACK: Final = "127.0.0.1"

_QUARANTINE: Final = 120.0
_ATTEMPTS: Final = 100


class Ports:
    """Free ports on the loopback interface, none of them given to two apps.

    A port that an app had goes to no other app for a while: until every replica of the policy has heard
    that the first is not there any more, what is meant for the first must not reach the second.
    """

    def __init__(
        self, *, quarantine: float = _QUARANTINE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """*quarantine*: seconds; *clock* counts them."""
        self._quarantine = quarantine
        self._clock = clock
        self._taken: set[int] = set()
        self._released: deque[tuple[float, int]] = deque()

    def take(self) -> int:
        """A port that nothing listens on now; raises OSError when there is none."""
        now = self._clock()
        while self._released and self._released[0][0] <= now - self._quarantine:
            self._taken.discard(self._released.popleft()[1])
        for _ in range(_ATTEMPTS):
            with socket.socket() as probe:
                probe.bind((LOOPBACK, 0))
                port: int = probe.getsockname()[1]
            if port not in self._taken:
                self._taken.add(port)
                return port
        raise OSError("no free port was found")

    def release(self, port: int) -> None:
        """Give a port back."""
        self._released.append((self._clock(), port))
