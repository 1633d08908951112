"""Which tokens were used, for the control plane to know."""

from collections import deque
from typing import Final

from doorward_server.domain.ids import TokenId

_PERIOD: Final = 60.0
"""Seconds in which several uses of a token count as one."""
_KEPT: Final = 100_000
"""How many uses wait for the stream; the oldest are lost beyond that."""


class TokenUses:
    """Filled by the thread that decides, emptied by the one of the stream."""

    __slots__ = ("_begin", "_end", "_seen", "_waiting")

    def __init__(self) -> None:
        # Appending to a deque and taking from its other end are safe between threads.
        self._waiting: deque[tuple[TokenId, float]] = deque(maxlen=_KEPT)
        self._seen: set[TokenId] = set()
        self._begin = self._end = 0.0

    def record(self, token_id: TokenId, now: float) -> float:
        """A token was used at *now*, in seconds since 1970; answers until when its uses count as this one."""
        if not self._begin <= now < self._end:
            self._begin = now - now % _PERIOD
            self._end = self._begin + _PERIOD
            self._seen.clear()
        if token_id not in self._seen:
            self._seen.add(token_id)
            self._waiting.append((token_id, now))
        return self._end

    def take(self, limit: int) -> list[tuple[TokenId, float]]:
        """At most *limit* uses, oldest first, which are the caller's to report from now on."""
        taken: list[tuple[TokenId, float]] = []
        while self._waiting and len(taken) < limit:
            taken.append(self._waiting.popleft())
        return taken
