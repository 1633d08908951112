"""Streams end with the secret that they were begun with, and with nothing else."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

from doorward_server.domain.ids import TokenId
from doorward_server.domain.tokens import Token
from doorward_server.services.errors import UnauthenticatedError
from doorward_server.services.ports import UnitOfWork
from doorward_server.services.token_service import TokenChanges
from tests.integration.services.conftest import World


class Streaming:
    """Somebody who follows a stream that never yields anything."""

    def __init__(self, world: World, caller: Token) -> None:
        self._world = world
        self._task = asyncio.create_task(self._follow(caller))

    async def ended(self) -> None:
        """Raise what the stream ends with."""
        await asyncio.wait_for(asyncio.shield(self._task), 10)

    async def goes_on(self) -> bool:
        """Whether the stream does not end, for as long as one can wait for that."""
        done, _ = await asyncio.wait({self._task}, timeout=0.3)
        return not done

    async def close(self) -> None:
        """Hang up."""
        self._task.cancel()
        with suppress(asyncio.CancelledError, UnauthenticatedError):
            await self._task

    async def _follow(self, caller: Token) -> None:
        async for _ in self._world.liveness.while_live(self._world.call("WatchApp", caller), self._nothing()):
            pass

    @staticmethod
    async def _nothing() -> AsyncGenerator[None, None]:
        await asyncio.Event().wait()
        yield


@asynccontextmanager
async def streaming(world: World, caller: Token) -> AsyncIterator[Streaming]:
    """A stream of a caller that has begun."""
    stream = Streaming(world, caller)
    assert await stream.goes_on()
    try:
        yield stream
    finally:
        await stream.close()


async def regenerate(world: World, token_id: TokenId, **grace: float) -> None:
    """Give a token a new secret."""
    call = world.call("RegenerateToken")
    await world.tokens.regenerate(call, token_id, grace_period=timedelta(**grace))


async def test_a_deleted_token_ends_its_streams(world: World) -> None:
    """Whoever watches with a token that is deleted meanwhile is shown out."""
    reader, _ = await world.token()
    async with streaming(world, reader) as stream:
        await world.tokens.delete(world.call("DeleteToken"), reader.token_id)
        with pytest.raises(UnauthenticatedError):
            await stream.ended()


async def test_a_new_secret_ends_the_streams_of_the_former(world: World) -> None:
    """As it ends everything else that the former secret could do."""
    reader, _ = await world.token()
    async with streaming(world, reader) as stream:
        await regenerate(world, reader.token_id)
        with pytest.raises(UnauthenticatedError):
            await stream.ended()


async def test_a_grace_period_is_for_streams_too(world: World) -> None:
    """A stream of the former secret goes on until the grace period ends, and not beyond it."""
    reader, _ = await world.token()
    async with streaming(world, reader) as before:
        await regenerate(world, reader.token_id, seconds=1)
        assert await before.goes_on()
        async with streaming(world, reader) as within:
            # The clock of the test stands still; what wakes the streams is the real one.
            world.clock.advance(seconds=1)
            for stream in (before, within):
                with pytest.raises(UnauthenticatedError):
                    await stream.ended()


async def test_a_token_that_expires_ends_its_streams(world: World) -> None:
    """An expiry during a stream ends it, also one that was brought forward."""
    reader, _ = await world.token()
    async with streaming(world, reader) as stream:
        end = world.clock.now + timedelta(seconds=0.2)
        changes = TokenChanges(expire_time=end, set_expire_time=True)
        await world.tokens.update(world.call("UpdateToken"), reader.token_id, changes)
        world.clock.advance(seconds=1)
        with pytest.raises(UnauthenticatedError):
            await stream.ended()


@pytest.mark.parametrize(
    "changes",
    [TokenChanges(display_name="another"), TokenChanges(expire_time=None, set_expire_time=True)],
    ids=["rename", "later-expiry"],
)
async def test_a_token_that_goes_on_to_work_ends_no_stream(world: World, changes: TokenChanges) -> None:
    """Another name or a later expiry leaves the secret what it was."""
    reader, _ = await world.token(expire_time=world.clock.now + timedelta(hours=1))
    async with streaming(world, reader) as stream:
        await world.tokens.update(world.call("UpdateToken"), reader.token_id, changes)
        assert await stream.goes_on()
        await world.tokens.delete(world.call("DeleteToken"), reader.token_id)
        with pytest.raises(UnauthenticatedError):
            await stream.ended()


async def test_a_token_that_is_deleted_while_it_is_looked_at_is_missed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change between the look and the wait for the next change is not overlooked."""
    reader, _ = await world.token()
    read, looks = world.storage.read, 0

    @asynccontextmanager
    async def read_before_the_end() -> AsyncIterator[UnitOfWork]:
        nonlocal looks
        async with read() as work:
            yield work
        looks += 1
        if looks == 1:
            await world.tokens.delete(world.call("DeleteToken"), reader.token_id)

    monkeypatch.setattr(world.storage, "read", read_before_the_end)
    stream = Streaming(world, reader)
    with pytest.raises(UnauthenticatedError):
        await stream.ended()
