"""What the waits for replicas come to."""

import asyncio

import pytest

from doorward_server.domain.ids import Revision
from doorward_server.services.propagation import Enforcement
from doorward_server.services.timed_publisher import TimedPublisher
from tests.support.fakes import FakePropagation


class SlowPropagation(FakePropagation):
    """Enforces when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.enforce = asyncio.Event()

    async def wait_until_enforced(self, revision: Revision) -> Enforcement:
        await self.enforce.wait()
        return await super().wait_until_enforced(revision)


async def test_a_wait_is_counted_when_it_has_ended() -> None:
    """While it lasts it is a call that waits, and from then on one that has waited for so long."""
    now = 100.0
    propagation = SlowPropagation()
    publisher = TimedPublisher(propagation, clock=lambda: now)
    publisher.announce(Revision(3))
    assert propagation.announced == [3]
    waiting = asyncio.create_task(publisher.wait_until_enforced(Revision(3)))
    await asyncio.sleep(0)
    assert (publisher.waiting, publisher.waits.count) == (1, 0)
    now += 7
    propagation.enforce.set()
    assert await waiting is Enforcement.EVERYWHERE
    assert (publisher.waiting, publisher.waits.count, publisher.waits.total) == (0, 1, 7.0)


async def test_a_wait_that_is_given_up_is_not_counted() -> None:
    """How long it would have taken nobody knows."""
    publisher = TimedPublisher(SlowPropagation())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(publisher.wait_until_enforced(Revision(3)), 0)
    assert (publisher.waiting, publisher.waits.count) == (0, 0)
