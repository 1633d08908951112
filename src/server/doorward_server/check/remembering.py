"""What Envoy may remember of an allow, to repeat it without asking: the check's side of envoy/edge_cache.lua.

A replica answers for what Envoy remembers of it, so that what was enforced is in force:

1. A revision is acknowledged only when every allow that was decided before it is forgotten (`Settling`).
   Envoy counts an allow's time from before it asked, which is before the decision.
2. An allow that would be remembered past the replica's lease, or past the end of a secret of its token, is
   not to be remembered at all.

The control plane need not know: it waits for acknowledgements and for leases, as ever.
"""

import math
from collections import deque
from functools import lru_cache
from typing import Final

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse

from doorward_server.check.lease import Lease
from doorward_server.domain.decision import Decision, Reason, Request
from doorward_server.domain.ids import Revision
from doorward_server.services.boottime import BootClock
from doorward_server.services.leases import DRIFT

LONGEST: Final = 1.0
"""Seconds that an allow is remembered at most, here and in envoy/edge_cache.lua."""

_REMEMBERED: Final = frozenset({Reason.ALLOWED, Reason.PUBLIC_APP})


class Remembering:
    """Says which allows may be remembered, and for how long."""

    def __init__(self, *, lifetime: float, lease: Lease) -> None:
        """*lifetime* is in seconds, `LONGEST` at most; 0: nothing is to be remembered."""
        if not 0 <= lifetime <= LONGEST:
            raise ValueError(f"an allow may be remembered for 0 to {LONGEST} s, not {lifetime}")
        self._milliseconds = int(lifetime * 1000)
        self._lease = lease

    @property
    def seconds(self) -> float:
        """After how many seconds what was decided before is forgotten, on whatever machine Envoy is; or 0."""
        return self._milliseconds / 1000 * DRIFT

    def leave(self, decision: Decision, request: Request, *, remove: tuple[str, ...]) -> bytes:
        """Leave to remember an allow while `is_forgotten_by`, to be appended to the answer; or nothing.

        A serialized message that follows another one is merged into it. *remove* is what the answer removes.
        """
        # Envoy remembers by the host: a route that names the app makes another decision of it. And by the
        # credential: a session also depends on whose page makes the request.
        if not self._milliseconds or decision.reason not in _REMEMBERED:
            return b""
        if request.app_id is not None or decision.session is not None:
            return b""
        any_path = decision.app is not None and not decision.app.operator_paths
        return _leave(self._milliseconds, any_path, remove)

    def is_forgotten_by(self, ends: float, *, now: float) -> bool:
        """Whether an allow of *now* is forgotten before its secret ends, and before the lease does.

        *ends* and *now* are in seconds since 1970.
        """
        return now + self.seconds <= ends and self.seconds <= self._lease.time_left


class Settling:
    """Revisions that are applied, until nothing is remembered any more that was decided before them."""

    def __init__(self, *, seconds: float, clock: BootClock) -> None:
        """*seconds*: after how many of them an allow is forgotten."""
        self._seconds = seconds
        self._clock = clock
        self._forgotten_at = -math.inf
        self._revisions: deque[tuple[float, Revision]] = deque()
        self._settled = Revision(0)

    def narrowed(self) -> None:
        """What was allowed a moment ago may not be allowed now. Called after the change."""
        self._forgotten_at = self._clock() + self._seconds

    def begin(self) -> None:
        """Begin a stream, on which nothing is reached yet. What is remembered goes on."""
        self._revisions.clear()
        self._settled = Revision(0)

    def reach(self, revision: Revision) -> None:
        """A revision is applied."""
        if self._revisions and self._revisions[-1][0] == self._forgotten_at:
            self._revisions.pop()
        self._revisions.append((self._forgotten_at, revision))

    @property
    def settled(self) -> Revision:
        """The newest revision that every request is answered by, also those that nobody is asked about."""
        now = self._clock()
        while self._revisions and self._revisions[0][0] <= now:
            self._settled = self._revisions.popleft()[1]
        return self._settled

    @property
    def time_left(self) -> float | None:
        """Seconds until the next revision settles; None when there is none."""
        return max(0.0, self._revisions[0][0] - self._clock()) if self._revisions else None


@lru_cache(maxsize=64)
def _leave(milliseconds: int, any_path: bool, remove: tuple[str, ...]) -> bytes:
    response = CheckResponse()
    response.dynamic_metadata["remember"] = {
        "milliseconds": milliseconds,
        "any_path": any_path,
        "remove": list(remove),
    }
    encoded: bytes = response.SerializeToString(deterministic=True)
    return encoded
