"""When a program that has crashed is started again."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """How long to wait before a restart, and when to give up. Times are in seconds."""

    first_delay: float = 0.5
    factor: float = 2.0
    longest_delay: float = 30.0
    crashes: int | None = 5
    """How many crashes within `window` are one too many. None: never give up."""
    window: float = 300.0


class Restarts:
    """Counts the crashes of one program."""

    def __init__(self, policy: RestartPolicy, clock: Callable[[], float]) -> None:
        """*clock* counts seconds and never steps."""
        self._policy = policy
        self._clock = clock
        # Past the longest delay, one more crash changes nothing.
        self._crashes: deque[float] = deque(maxlen=policy.crashes or 64)

    def delay(self) -> float | None:
        """Count a crash; the seconds to wait before the next start, or None to give up."""
        now = self._clock()
        self._crashes.append(now)
        while self._crashes[0] <= now - self._policy.window:
            self._crashes.popleft()
        count = len(self._crashes)
        if self._policy.crashes is not None and count >= self._policy.crashes:
            return None
        delay = self._policy.first_delay * self._policy.factor ** (count - 1)
        return min(delay, self._policy.longest_delay)
