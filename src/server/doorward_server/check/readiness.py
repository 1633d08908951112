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
        self.close()
        if self._lease.fresh != self._serving:
            self._serving = not self._serving
            self._set_serving(self._serving)
            if self._serving:
                _log.info("Deciding by a fresh policy")
            else:
                _log.error("The lease has run out without word from the control plane: denying everything")
        if self._serving and (time_left := self._lease.time_left) < math.inf:
            self._timer = asyncio.get_running_loop().call_later(time_left, self.update)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
