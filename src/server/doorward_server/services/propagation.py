"""Waiting until no replica decides without a change."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from typing import Final

from doorward_server.domain.ids import Revision
from doorward_server.services.boottime import BootClock, boottime
from doorward_server.services.leases import LeaseBook, ReplicaIdentity, ReplicaStream, ReplicaView
from doorward_server.services.ports import Storage, StorageUnavailableError

_log = logging.getLogger(__name__)

_HOUSEKEEPING: Final = 10.0
"""Seconds between two looks for replicas that are gone."""
_LOOK_AGAIN: Final = 1.0
"""Seconds between two looks at the leases, for asyncio's timers stand still while the machine sleeps."""


class Enforcement(Enum):
    """How far a change has reached the replicas."""

    EVERYWHERE = "no replica decides without the change"
    REACHABLE_ONLY = "a replica that cannot be reached may go on to decide without the change"


class Propagation:
    """The replicas that answer Envoy, and what they have applied. Made by `open_propagation`."""

    def __init__(self, *, storage: Storage, lease: float, reach_time: float, clock: BootClock) -> None:
        self._storage = storage
        self._reach_time = reach_time
        self._book = LeaseBook(lease=lease, clock=clock, on_progress=self._wake_waiters)
        self._waiters: set[asyncio.Event] = set()
        self._remembered: set[str] = set()
        # Held while replicas are added to storage or removed from it, so that the two cannot cross.
        self._remembering = asyncio.Lock()

    @property
    def lease(self) -> float:
        """How many seconds a replica may decide after it sent its newest answered message; 0: for ever."""
        return self._book.lease

    @property
    def newest_revision(self) -> Revision:
        """The newest revision that is known to be committed."""
        return self._book.announced

    def replicas(self) -> list[ReplicaView]:
        """How every replica stands that is connected or may still decide, in the order of their ids."""
        return self._book.views()

    def announce(self, revision: Revision) -> None:
        """Tell the replicas of a committed revision."""
        self._book.announce(revision)

    async def wait_until_enforced(self, revision: Revision) -> Enforcement:
        """Wait until no replica decides without a committed revision.

        So until each has applied it or has lost its lease. With a lease of 0 there is no such moment: then
        until the replicas that are connected have applied it, for a bounded time.
        """
        self.announce(revision)
        if not self._book.lease:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._reach_time):
                    while self._book.connected_lag(revision):
                        await self._progress(_LOOK_AGAIN)
            return Enforcement.REACHABLE_ONLY
        while (time_left := self._book.time_left(revision)) > 0:
            await self._progress(min(time_left, _LOOK_AGAIN))
        return Enforcement.EVERYWHERE

    @asynccontextmanager
    async def stream(self, replica: ReplicaIdentity, *, news: asyncio.Event) -> AsyncIterator[ReplicaStream]:
        """One stream of a replica, which is remembered in storage before it can be granted a lease.

        *news* is set when the stream has something to do. Raises `StorageUnavailableError`.
        """
        replica_id = replica.replica_id
        async with self._remembering:
            if self._book.lease and replica_id not in self._remembered:
                async with self._storage.write() as unit:
                    await unit.replicas.add(replica_id)
                self._remembered.add(replica_id)
            stream = self._book.open(replica, wake=news.set)
        try:
            yield stream
        finally:
            stream.close()
            if stream.left:
                await self.forget_gone()

    async def forget_gone(self) -> None:
        """Forget the replicas that have neither a stream nor a lease."""
        async with self._remembering:
            gone = self._book.gone()
            stored = sorted(self._remembered.intersection(gone))
            if stored:
                try:
                    async with self._storage.write() as unit:
                        for replica_id in stored:
                            await unit.replicas.remove(replica_id)
                except StorageUnavailableError as error:
                    _log.warning("Replicas that are gone stay remembered for now: %s", error)
                    return
            self._remembered.difference_update(stored)
            self._book.forget(gone)

    async def recall(self) -> None:
        """Wait, from now on, for the replicas of a server that ran before on the same database."""
        async with self._storage.read() as unit:
            self._remembered.update(await unit.replicas.all())
            head = await unit.policy.head()
        self._book.announce(head.revision)
        self._book.recall(self._remembered)

    async def _progress(self, seconds: float) -> None:
        """Wait until something may have become enforced, for so long at most."""
        event = asyncio.Event()
        self._waiters.add(event)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), seconds)
        finally:
            self._waiters.discard(event)

    def _wake_waiters(self) -> None:
        for event in self._waiters:
            event.set()


@asynccontextmanager
async def open_propagation(
    *, storage: Storage, lease: float, reach_time: float = 5.0, clock: BootClock = boottime
) -> AsyncIterator[Propagation]:
    """A `Propagation` that knows the replicas of the server that ran before it.

    *lease* is in seconds; 0 lets replicas decide for ever, and waits *reach_time* seconds at most for those
    that are connected. Raises `StorageUnavailableError`.
    """
    propagation = Propagation(storage=storage, lease=lease, reach_time=reach_time, clock=clock)
    await propagation.recall()
    housekeeping = asyncio.create_task(_keep_house(propagation))
    try:
        yield propagation
    finally:
        housekeeping.cancel()
        with suppress(asyncio.CancelledError):
            await housekeeping


async def _keep_house(propagation: Propagation) -> None:
    while True:
        await asyncio.sleep(_HOUSEKEEPING)
        await propagation.forget_gone()
