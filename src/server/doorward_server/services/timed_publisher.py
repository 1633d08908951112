"""How long calls wait for the replicas."""

import time
from collections.abc import Callable
from typing import Final

from doorward_server.domain.ids import Revision
from doorward_server.services.distribution import Distribution
from doorward_server.services.propagation import Enforcement
from doorward_server.services.publishing import Publisher

_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class TimedPublisher:
    """A `Publisher` that passes everything on to another, and counts the waits. For one event loop."""

    def __init__(self, publisher: Publisher, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._publisher = publisher
        self._clock = clock
        self.waiting = 0
        """How many calls wait at this moment."""
        self.waits = Distribution(_BOUNDS)
        """How long the waits took that came to their end. One that its caller gave up is not among them."""

    def announce(self, revision: Revision) -> None:
        self._publisher.announce(revision)

    async def wait_until_enforced(self, revision: Revision) -> Enforcement:
        began = self._clock()
        self.waiting += 1
        try:
            enforcement = await self._publisher.wait_until_enforced(revision)
        finally:
            self.waiting -= 1
        self.waits.observe(self._clock() - began)
        return enforcement
