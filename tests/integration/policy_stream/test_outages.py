"""A stream that breaks, an api or a database that is away, and what replicas have to tell."""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

import grpc

from doorward_server.domain.tokens import Token
from doorward_server.services.clock import utc_now
from doorward_server.services.ports import StorageUnavailableError, UnitOfWork
from doorward_server.services.propagation import Enforcement
from doorward_server.storage import SqlStorage
from tests.integration.policy_stream.changes import put_app, put_token
from tests.integration.storage.samples import app, token
from tests.support.policy import PolicyApi
from tests.support.waiting import eventually


@dataclass
class FlakyStorage:
    """Storage that can be away."""

    storage: SqlStorage
    down: bool = False

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]:
        self._check()
        return self.storage.read()

    def write(self) -> AbstractAsyncContextManager[UnitOfWork]:
        self._check()
        return self.storage.write()

    def _check(self) -> None:
        if self.down:
            raise StorageUnavailableError("the database is away")


async def test_a_replica_finds_an_api_that_was_restarted(storage: SqlStorage, api: PolicyApi) -> None:
    """A replica outlives the api: it goes on with the policy that it has, and follows the new one."""
    await put_app(storage, app())
    async with AsyncExitStack() as stack:
        async with api.running():
            replica = await stack.enter_async_context(api.replica())
            await replica.fresh()
        assert replica.lease.fresh
        assert len(replica.index) == 1
        revision = await put_app(storage, app())
        propagation = await stack.enter_async_context(api.running())
        await replica.reached(revision)
        async with asyncio.timeout(5):
            assert await propagation.wait_until_enforced(revision) is Enforcement.EVERYWHERE


async def test_a_replica_comes_back_after_the_database_was_away(storage: SqlStorage, api: PolicyApi) -> None:
    """While storage is unavailable streams end with UNAVAILABLE; replicas follow as soon as it is back."""
    flaky = FlakyStorage(storage)
    api.storage = flaky
    async with api.running():
        flaky.down = True
        async with api.raw() as stream:
            await stream.hello()
            assert await stream.ending() == (grpc.StatusCode.UNAVAILABLE, "the database is away")
        async with api.replica() as replica:
            await asyncio.sleep(0)
            assert not replica.lease.fresh
            flaky.down = False
            await replica.fresh()


async def test_uses_of_tokens_reach_the_database(storage: SqlStorage, api: PolicyApi) -> None:
    """What replicas say of last uses is stored; the future, and tokens that are gone, are not believed."""
    entry = token()
    await put_token(storage, entry)
    used = utc_now() - timedelta(minutes=5)
    # A stream that is silent for a few heartbeats breaks off, and the uses that it had taken are lost until
    # the next ones: on a busy machine, that is not to happen here.
    api.heartbeat = 1.0

    async def look() -> Token | None:
        async with storage.read() as unit:
            found = await unit.tokens.get(entry.token_id)
            return found if found is not None and found.last_used_time is not None else None

    async with api.running(), api.replica() as replica:
        await replica.fresh()
        replica.uses.record(entry.token_id, used.timestamp())
        replica.uses.record(token().token_id, used.timestamp())
        found = await eventually(look, what="last_used_time is set")
        assert found.last_used_time is not None
        assert abs(found.last_used_time - used) < timedelta(milliseconds=1)
        replica.uses.record(entry.token_id, utc_now().timestamp() + 3600)

        async def newer() -> Token | None:
            seen = await look()
            return seen if seen and seen.last_used_time != found.last_used_time else None

        seen = await eventually(newer, what="last_used_time moves")
        assert seen.last_used_time is not None
        assert seen.last_used_time <= utc_now()
