"""Telling Envoy whether this replica can decide."""

import asyncio
import logging
import math
from collections.abc import Callable

from doorward_server.check.lease import Lease

_log = logging.getLogger(__name__)


class Readiness:
    """Follows the lease: Envoy sends Checks to another replica while this one would deny them all.

    A courtesy to clients. What keeps a replica from deciding by an old policy is the lease itself.
    """

    def __init__(self, *, lease: Lease, set_serving: Callable[[bool], None]) -> None:
        self._lease = lease
        self._set_serving = set_serving
        self._serving = False
        self._timer: asyncio.TimerHandle | None = None

    def update(self) -> None:
        """Look at the lease now, and again when it runs out. Call it after each message."""
        if self._lease.fresh != self._serving:
            self._serving = not self._serving
            self._set_serving(self._serving)
            if self._serving:
                _log.info("Deciding by a fresh policy")
            else:
                _log.error("The lease has run out without word from the control plane: denying everything")
        if self._serving and (time_left := self._lease.time_left) < math.inf:
            self._look_again(asyncio.get_running_loop(), time_left)

    def _look_again(self, loop: asyncio.AbstractEventLoop, time_left: float) -> None:
        """Look when the lease ends, or would have ended before its last renewals, which move no timer."""
        due = loop.time() + time_left
        if self._timer is None or due < self._timer.when():
            self.close()
            self._timer = loop.call_at(due, self._looked_at)

    def _looked_at(self) -> None:
        self._timer = None
        self.update()

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
