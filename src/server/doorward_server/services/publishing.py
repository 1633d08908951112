"""Telling replicas of a committed change."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from doorward_server.domain.ids import Revision
from doorward_server.services.ports import Storage
from doorward_server.services.propagation import Enforcement

_SPREAD_TIME: Final = 1.0
"""Seconds that a call waits for replicas to learn of something that widens access."""


@dataclass(frozen=True, slots=True)
class PolicyUpdate:
    """How far a change has reached the replicas that answer Envoy."""

    revision: Revision
    enforcement: Enforcement | None = None
    """None: the change narrows nothing, so nobody waited for all replicas."""


class Publisher(Protocol):
    """What brings changes to the replicas: `doorward_server.services.propagation.Propagation`."""

    def announce(self, revision: Revision) -> None:
        """Wake the streams: a change has been committed."""
        ...

    async def wait_until_enforced(self, revision: Revision) -> Enforcement:
        """Return when no replica decides by the policy before *revision*, or none that can be reached."""
        ...


async def enforce(propagation: Publisher, revision: Revision) -> PolicyUpdate:
    """Announce a change that may narrow access, and wait until no replica decides without it."""
    propagation.announce(revision)
    return PolicyUpdate(revision, await propagation.wait_until_enforced(revision))


async def enforce_what_is_committed(storage: Storage, propagation: Publisher) -> None:
    """Wait until no replica decides by less than what is committed.

    For calls that find nothing to change: one that repeats a call which was cut short, or still waits, is
    owed what that one promised.
    """
    async with storage.read() as work:
        head = await work.policy.head()
    await enforce(propagation, head.revision)


async def spread(propagation: Publisher, revision: Revision) -> PolicyUpdate:
    """Announce a change that widens access, and give replicas a moment to learn of it.

    So whoever creates a token can use it with the next request, and a replica that hangs holds up nobody.
    """
    propagation.announce(revision)
    with suppress(TimeoutError):
        await asyncio.wait_for(propagation.wait_until_enforced(revision), _SPREAD_TIME)
    return PolicyUpdate(revision)
