"""Lines of a log that come by the hundred, let through now and then."""

import logging
import time
from collections.abc import Callable
from typing import Final

from doorward_server.check.bounded import Bounded

_KEPT: Final = 64


class Seldom(logging.Filter):
    """Lets a line through that was not there for a while, with how many like it were left out."""

    def __init__(self, *, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """*seconds* is that while."""
        super().__init__()
        self._seconds = seconds
        self._clock = clock
        self._seen: Bounded[str, tuple[float, int]] = Bounded(_KEPT)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        message, now = record.getMessage(), self._clock()
        since, left_out = self._seen.get(message, (-self._seconds, 0))
        if now - since < self._seconds:
            self._seen[message] = since, left_out + 1
            return False
        self._seen[message] = now, 0
        if left_out:
            record.msg, record.args = "%s (and %d times more since the last such line)", (message, left_out)
        return True
