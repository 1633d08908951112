"""Whether an app is ready, over time."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from doorward_server.domain.apps import Readiness
from doorward_server.domain.policy import Address

_FIRST_PERIOD: Final = 0.05
_PERIOD_GROWTH: Final = 1.5


@dataclass(frozen=True, slots=True)
class Ready:
    """The app serves."""

    address: Address


@dataclass(frozen=True, slots=True)
class NotReady:
    """The app does not serve."""

    reason: str


Health = Ready | NotReady


async def changes(
    probe: Callable[[], Awaitable[Health]], readiness: Readiness
) -> AsyncGenerator[Health, None]:
    """Probe for ever; yields each time the app becomes ready, moves, or counts as not ready any more.

    It counts as not ready, first or again, after as many failures in a row as *readiness* says. Until it is
    ready for the first time it is probed more often than the period, so that a quick start is noticed.
    What *probe* raises ends it.
    """
    state: Health | None = None
    failures = 0
    period = readiness.period.total_seconds()
    delay = min(_FIRST_PERIOD, period)
    while True:
        seen = await probe()
        if isinstance(seen, Ready):
            failures = 0
            delay = period
            if seen != state:
                state = seen
                yield seen
        else:
            failures += 1
            if failures >= readiness.failure_threshold and not isinstance(state, NotReady):
                state = seen
                yield seen
        await asyncio.sleep(delay)
        delay = min(delay * _PERIOD_GROWTH, period)
