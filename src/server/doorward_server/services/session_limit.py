"""How many sessions a token may begin.

Each is a row in the database for as long as its cookie would work, and a line of the audit for ever. A token
that many people share begins many at once, one that went wrong begins them without end.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from doorward_server.domain.ids import TokenId
from doorward_server.services.boottime import BootClock
from doorward_server.services.errors import TooManySessionsError

_KEPT: Final = 20_000
"""Tokens that are remembered, those that began a session last."""

_PRECISION: Final = 1e-6
"""Seconds. Callers are told no less, and floating point adds up to less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRate:
    """So many sessions at once, and then so many a minute."""

    burst: int
    per_minute: float


class SessionLimit:
    """Counts the sessions that each token begins: a bucket for each, from which they flow off steadily.

    A bucket is the time at which it will be empty (the generic cell rate algorithm, ITU-T I.371).
    """

    def __init__(self, rate: SessionRate, *, clock: BootClock) -> None:
        self._clock = clock
        self._interval = 60 / rate.per_minute
        self._capacity = rate.burst * self._interval
        self._empty_at: OrderedDict[TokenId, float] = OrderedDict()

    def take(self, token_id: TokenId) -> None:
        """Count one more session; raises `TooManySessionsError`, and does not count it then."""
        now = self._clock()
        empty_at = max(now, self._empty_at.get(token_id, now)) + self._interval
        too_early = empty_at - now - self._capacity
        if too_early >= _PRECISION:
            raise TooManySessionsError(token_id, timedelta(seconds=too_early))
        self._empty_at[token_id] = empty_at
        self._empty_at.move_to_end(token_id)
        if len(self._empty_at) > _KEPT:
            self._empty_at.popitem(last=False)
