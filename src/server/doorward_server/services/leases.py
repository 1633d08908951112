"""Which replicas may still decide, and by which revision: the arithmetic of leases, without I/O.

A replica decides while its lease runs: until it sent its newest *answered* message, plus the lease. Two rules
keep it from deciding by a revision that is older than one which was enforced:

1. A lease is counted here before the answer that grants it goes out, and from when the message was received,
   which is later than when it was sent. So it runs out at the replica first.
2. An answer goes out behind every change that was announced before its lease was counted. So what was
   enforced while a replica had no lease reaches the replica before its next lease does.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from doorward_server.domain.ids import RegionName, Revision
from doorward_server.services.boottime import BootClock

DRIFT: Final = 1.001
"""How much longer a lease is here than at the replica, for the clocks of two machines do not run alike.

Several times what it takes: NTP slews a clock by 0.05 % at most.
"""

_LONGEST_LEASE: Final = 3600.0
"""Seconds. What a lease without end, which promises nothing, is taken for."""

_NEVER: Final = -math.inf
_NO_REVISION: Final = Revision(0)


def longest_lag(lease: float) -> float:
    """For how many seconds after a change was announced some replica may decide without it.

    *lease* is in seconds; 0 has no such bound, and an hour is answered.
    """
    return (lease or _LONGEST_LEASE) * DRIFT


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaIdentity:
    """Who a replica is, as it says itself."""

    replica_id: str
    """A UUID made when its process started."""
    display_name: str = ""
    """What people call it. Empty: nothing, or not known."""
    region: RegionName | None = None
    """None: every region, or not known."""

    def __str__(self) -> str:
        return f"{self.display_name} ({self.replica_id})" if self.display_name else self.replica_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaView:
    """How one replica stands at this moment. Times are spans in seconds, up to this moment or from it on."""

    identity: ReplicaIdentity
    connected: float | None
    """For how long. None: it is not connected."""
    heard: float | None
    """How long ago it was last heard of. None: not since this server started."""
    applied: Revision
    """The revision that it decides by, or an earlier one; 0: none that is known."""
    behind: float | None
    """For how long it has lacked a revision that was announced. None: it lacks none."""
    lease: float
    """How long its lease goes on at most; 0: it has run out, infinite: it has no end."""


class StreamOrderError(Exception):
    """A replica's message contradicts those before it on its stream; the text says how."""


@dataclass(frozen=True, slots=True)
class Pledge:
    """Leave to answer a replica, whose lease is counted from now on."""

    sequence: int
    """The message to answer: the newest that was received."""
    floor: Revision
    """The revision that must be sent before the answer, or with it."""


@dataclass(slots=True, eq=False)
class _Standing:
    """What is known of one replica."""

    identity: ReplicaIdentity
    applied: Revision = _NO_REVISION
    """The revision that it decides by, or an earlier one."""
    until: float = _NEVER
    """When its lease has run out for certain."""
    stream: "ReplicaStream | None" = None
    """Its newest stream, while that lasts."""
    opened_at: float = _NEVER
    """When that began."""
    heard_at: float | None = None
    """When its newest message came."""
    wanted: Revision = _NO_REVISION
    """A revision that it lacked at `wanted_at`; one that it has by now when it lacks none."""
    wanted_at: float = _NEVER

    def mark(self, announced: Revision, now: float) -> None:
        """Begin to measure how long it lacks *announced*, unless it still lacks what is measured already.

        So while changes never end, a replica that keeps up is behind for as long as one of them takes.
        """
        if self.wanted <= self.applied:
            self.wanted, self.wanted_at = announced, now

    def view(self, now: float) -> ReplicaView:
        """How it stands at *now*."""
        return ReplicaView(
            identity=self.identity,
            connected=None if self.stream is None else now - self.opened_at,
            heard=None if self.heard_at is None else now - self.heard_at,
            applied=self.applied,
            behind=now - self.wanted_at if self.wanted > self.applied else None,
            lease=max(0.0, self.until - now),
        )


class LeaseBook:
    """Every replica that may hold a lease."""

    def __init__(self, *, lease: float, clock: BootClock, on_progress: Callable[[], None]) -> None:
        """*lease* is in seconds, 0 for one without end.

        *on_progress* is called when a revision may have become enforced.
        """
        self.lease = lease
        self.clock = clock
        self.on_progress = on_progress
        self.announced = _NO_REVISION
        """The newest revision that is known to be committed."""
        self._standings: dict[str, _Standing] = {}

    def announce(self, revision: Revision) -> None:
        """Take note of a committed revision, and wake the streams for it."""
        if revision <= self.announced:
            return
        self.announced = revision
        now = self.clock()
        for standing in self._standings.values():
            standing.mark(revision, now)
            if standing.stream is not None:
                standing.stream.wake()

    def recall(self, replica_ids: Iterable[str]) -> None:
        """Assume that each of these replicas was granted a lease just now, and has applied nothing."""
        now = self.clock()
        for replica_id in replica_ids:
            standing = _Standing(ReplicaIdentity(replica_id=replica_id), until=now + self.lease * DRIFT)
            standing.mark(self.announced, now)
            self._standings[replica_id] = standing

    def open(self, identity: ReplicaIdentity, *, wake: Callable[[], None]) -> "ReplicaStream":
        """Begin a stream, in place of an older one of the same replica. *wake*: it has something to do.

        The lease that the replica may hold goes on. What it has applied counts anew.
        """
        standing = self._standings.setdefault(identity.replica_id, _Standing(identity))
        former, standing.stream = standing.stream, ReplicaStream(self, standing, wake=wake)
        standing.identity, standing.opened_at = identity, self.clock()
        # Before what it has applied is forgotten: from now on it lacks that, if it lacked nothing so far.
        standing.mark(self.announced, standing.opened_at)
        standing.applied = _NO_REVISION
        if former is not None:
            former.wake()
        return standing.stream

    def time_left(self, revision: Revision) -> float:
        """For how many seconds some replica may go on to decide without *revision*; 0 when none does.

        Its caller has announced the revision.
        """
        now = self.clock()
        return max((each.until - now for each in self._lagging(revision, now)), default=0.0)

    def connected_lag(self, revision: Revision) -> bool:
        """Whether a connected replica decides without *revision*."""
        return any(each.stream is not None for each in self._lagging(revision, self.clock()))

    def views(self) -> list[ReplicaView]:
        """How every replica stands that is connected or may still decide, in the order of their ids."""
        now = self.clock()
        return [
            standing.view(now)
            for _, standing in sorted(self._standings.items())
            if standing.stream is not None or now < standing.until
        ]

    def gone(self) -> list[str]:
        """The replicas that have neither a stream nor a lease."""
        now = self.clock()
        return [
            replica_id
            for replica_id, standing in self._standings.items()
            if standing.stream is None and standing.until <= now
        ]

    def forget(self, replica_ids: Iterable[str]) -> None:
        """Forget replicas that are gone."""
        for replica_id in replica_ids:
            del self._standings[replica_id]

    def _lagging(self, revision: Revision, now: float) -> list[_Standing]:
        return [each for each in self._standings.values() if each.applied < revision and now < each.until]


class ReplicaStream:
    """One stream of a replica, from its hello to its end, as `LeaseBook` sees it."""

    def __init__(self, book: LeaseBook, standing: _Standing, *, wake: Callable[[], None]) -> None:
        self.wake = wake
        """Called when there is something to do: a change, a message, an end."""
        self.left = False
        """Whether the replica has said goodbye: it has stopped to decide for good."""
        self._book = book
        self._standing = standing
        self._received = 0
        self._received_at = _NEVER
        self._sent = _NO_REVISION
        self._applied = _NO_REVISION

    @property
    def replaced(self) -> bool:
        """Whether the replica has begun a newer stream, or this one was closed."""
        return self._standing.stream is not self

    def receive(self, sequence: int, applied: Revision = _NO_REVISION) -> None:
        """Take a message of the replica, the hello included; raises `StreamOrderError`.

        *applied* is the revision of what was sent on this stream and is applied; 0: nothing yet.
        """
        if sequence != self._received + 1:
            raise StreamOrderError(f"message {sequence} came after message {self._received}")
        if applied > self._sent:
            raise StreamOrderError(f"revision {applied} was acknowledged before it was sent")
        if applied < self._applied:
            raise StreamOrderError(f"revision {applied} was acknowledged after {self._applied}")
        self._received = sequence
        self._received_at = self._book.clock()
        if not self.replaced:
            self._standing.heard_at = self._received_at
        if applied > self._applied:
            self._applied = applied
            if not self.replaced:
                self._standing.applied = applied
                self._standing.mark(self._book.announced, self._received_at)
                self._book.on_progress()
        self.wake()

    def pledge(self) -> Pledge:
        """Count the lease that an answer to the newest message grants. The answer may follow."""
        if not self.left:
            until = self._received_at + self._book.lease * DRIFT if self._book.lease else math.inf
            self._standing.until = max(self._standing.until, until)
        return Pledge(self._received, self._book.announced)

    def sent(self, revision: Revision) -> None:
        """Take note that the replica is being sent everything up to *revision*; call it before sending."""
        self._sent = max(self._sent, revision)

    def goodbye(self) -> None:
        """The replica has stopped to decide for good: nobody waits for it."""
        self.left = True
        self._standing.until = _NEVER
        self._book.on_progress()

    def close(self) -> None:
        """The stream has ended. The lease that the replica may hold goes on; one without end is waived."""
        if not self.replaced:
            self._standing.stream = None
            if not self._book.lease:
                self._standing.until = _NEVER
            self._book.on_progress()
