"""Use case of the replicas: which there are, and how current each is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final, Protocol

from doorward_server.domain.ids import Revision
from doorward_server.services.clock import Clock
from doorward_server.services.leases import ReplicaIdentity, ReplicaView
from doorward_server.services.pages import Page, Pager, PageRequest
from doorward_server.services.ports import Position

_PATIENCE: Final = 30.0
"""Seconds that a replica may lack a revision where there is no lease to compare with."""
_LISTED_AT: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The time in page tokens: replicas are listed by their ids, for they connect anew at any time."""


class ReplicaState(Enum):
    """How current a replica is."""

    CURRENT = "connected, and has every revision"
    BEHIND = "connected, and has lacked a revision for a moment"
    LAGGING = "connected, and has lacked a revision for longer than the lease"
    DISCONNECTED = "not connected; it may decide until its lease has run out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One replica at a moment."""

    identity: ReplicaIdentity
    state: ReplicaState
    applied: Revision
    """The revision that it decides by, or an earlier one; 0: none that is known."""
    lag_revisions: int
    """How many revisions it lacks."""
    lag: timedelta
    """For how long it has lacked a revision."""
    lease_remaining: timedelta | None
    """For how long it may still decide when nothing more is heard of it. None: for ever."""
    connect_time: datetime | None
    """None: it is not connected."""
    last_heard_time: datetime | None
    """None: not since this server started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What all replicas are measured by."""

    revision: Revision
    """The newest revision of the policy."""
    lease: timedelta
    """How long a replica may decide without word from the server; 0: for ever."""


class Followers(Protocol):
    """Who knows the replicas: `doorward_server.services.propagation.Propagation`."""

    @property
    def lease(self) -> float:
        """The lease in seconds; 0: without end."""
        ...

    @property
    def newest_revision(self) -> Revision:
        """The newest revision that is known to be committed."""
        ...

    def replicas(self) -> Sequence[ReplicaView]:
        """How every replica stands that is connected or may still decide, in the order of their ids."""
        ...


class ReplicaService:
    """Answers how the replicas stand. Needs ADMIN, which `Call` has established. Asks no database."""

    def __init__(self, *, followers: Followers, pager: Pager, clock: Clock) -> None:
        self._followers = followers
        self._pager = pager
        self._clock = clock

    def fleet(self) -> Fleet:
        """What the replicas are measured by."""
        followers = self._followers
        return Fleet(revision=followers.newest_revision, lease=timedelta(seconds=followers.lease))

    async def list(self, request: PageRequest) -> Page[Replica]:
        """The replicas, by their ids; raises `InvalidFieldsError`."""
        window = self._pager.window(request, "replicas")
        after = "" if window.after is None else window.after.id
        views = [view for view in self._followers.replicas() if view.identity.replica_id > after]
        replicas = [self._replica(view) for view in views[: window.limit]]
        return window.page(replicas, lambda replica: Position(_LISTED_AT, replica.identity.replica_id))

    def _replica(self, view: ReplicaView) -> Replica:
        now = self._clock()
        lease, newest = self._followers.lease, self._followers.newest_revision
        return Replica(
            identity=view.identity,
            state=state_of(view, lease=lease),
            applied=view.applied,
            lag_revisions=lag_revisions(view, newest),
            lag=timedelta(seconds=view.behind or 0),
            lease_remaining=timedelta(seconds=view.lease) if lease else None,
            connect_time=_ago(now, view.connected),
            last_heard_time=_ago(now, view.heard),
        )


def state_of(view: ReplicaView, *, lease: float) -> ReplicaState:
    """How current a replica is, where the lease is *lease* seconds."""
    if view.connected is None:
        return ReplicaState.DISCONNECTED
    if view.behind is None:
        return ReplicaState.CURRENT
    return ReplicaState.LAGGING if view.behind > (lease or _PATIENCE) else ReplicaState.BEHIND


def lag_revisions(view: ReplicaView, newest: Revision) -> int:
    """How many revisions a replica lacks."""
    return max(0, newest - view.applied)


def _ago(now: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else now - timedelta(seconds=seconds)
