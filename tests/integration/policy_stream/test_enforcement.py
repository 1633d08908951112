"""How long a call waits for the replicas: until none is left that could decide without what it changed."""

import asyncio
import math
import time

import grpc

from doorward_server.domain.credentials import PlatformKey
from doorward_server.services.boottime import boottime
from doorward_server.services.propagation import Enforcement
from doorward_server.storage import SqlStorage
from tests.integration.policy_stream.changes import end_session, put_app, put_token, remove_token, with_secret
from tests.integration.storage.samples import GRA, app, session, token
from tests.support.policy import PolicyApi


async def test_when_a_deletion_is_enforced_no_replica_knows_the_token(
    storage: SqlStorage, api: PolicyApi, key: PlatformKey
) -> None:
    """Once the wait is over, the token is gone from every replica."""
    entry, secret = with_secret(key, token())
    await put_token(storage, entry)
    async with api.running() as propagation, api.replica() as one, api.replica() as two:
        await one.fresh()
        await two.fresh()
        assert one.index.authenticate(secret)
        revision = await remove_token(storage, entry)
        async with asyncio.timeout(5):
            assert await propagation.wait_until_enforced(revision) is Enforcement.EVERYWHERE
        assert one.index.authenticate(secret) is None
        assert two.index.authenticate(secret) is None


async def test_what_envoy_remembers_is_waited_for(
    storage: SqlStorage, api: PolicyApi, key: PlatformKey
) -> None:
    """A replica acknowledges a deletion when Envoy has forgotten, by itself and not with a heartbeat."""
    api.heartbeat = api.lease = 600.0
    entry, _ = with_secret(key, token())
    await put_token(storage, entry)
    async with api.running() as propagation, api.replica(remembered=0.5) as replica:
        await replica.fresh()
        before = boottime()
        revision = await remove_token(storage, entry)
        async with asyncio.timeout(10):
            assert await propagation.wait_until_enforced(revision) is Enforcement.EVERYWHERE
        assert boottime() - before >= 0.5


async def test_when_a_logout_is_enforced_every_replica_knows_of_it(
    storage: SqlStorage, api: PolicyApi
) -> None:
    """Those that run, and one that starts later and takes a snapshot."""
    entry, other = session(), session()
    async with storage.write() as unit:
        await unit.sessions.add(entry)
        await unit.sessions.add(other)
    async with api.running() as propagation, api.replica() as one, api.replica(region=GRA) as two:
        await one.fresh()
        await two.fresh()
        revision = await end_session(storage, entry)
        assert await propagation.wait_until_enforced(revision) is Enforcement.EVERYWHERE
        for replica in (one, two):
            assert replica.index.is_ended(entry.session_id)
            assert not replica.index.is_ended(other.session_id)
        async with api.replica() as late:
            await late.fresh()
            assert late.index.is_ended(entry.session_id)
            assert not late.index.is_ended(other.session_id)


async def test_the_newest_stream_of_a_replica_wins(storage: SqlStorage, api: PolicyApi) -> None:
    """When a replica comes back while its old stream still hangs, the old one ends and the new one counts."""
    async with api.running() as propagation, api.raw() as old, api.raw() as new:
        new.replica_id = old.replica_id
        await old.hello()
        await old.read_until_answered()
        await new.hello()
        await new.read_until_answered()
        code, _ = await old.ending()
        assert code is grpc.StatusCode.ABORTED
        revision = await put_app(storage, app())
        waiting = asyncio.create_task(propagation.wait_until_enforced(revision))
        assert (await new.read()).revision == revision
        assert not waiting.done()
        await new.send(applied_revision=revision)
        assert await asyncio.wait_for(waiting, 5) is Enforcement.EVERYWHERE


async def test_a_silent_replica_holds_up_a_call_for_its_lease_and_no_longer(
    storage: SqlStorage, api: PolicyApi
) -> None:
    """A replica that hangs, or is cut off, is waited for until its lease has run out."""
    api.lease = 0.5
    async with api.running() as propagation:
        for cut_off in (False, True):
            async with api.raw() as stream:
                before = time.monotonic()
                await stream.hello()
                await stream.read_until_answered()
                revision = await put_app(storage, app())
                if cut_off:
                    stream.call.cancel()
                async with asyncio.timeout(5):
                    assert await propagation.wait_until_enforced(revision) is Enforcement.EVERYWHERE
                assert time.monotonic() - before >= api.lease


async def test_a_replica_that_has_said_goodbye_is_not_waited_for(storage: SqlStorage, api: PolicyApi) -> None:
    """A goodbye is answered and ends the stream; nobody waits for that replica, now or after a restart."""
    async with api.running() as propagation:
        async with api.raw() as stream:
            await stream.hello()
            await stream.read_until_answered()
            async with storage.read() as unit:
                assert await unit.replicas.all() == [stream.replica_id]
            await stream.send(goodbye=True)
            await stream.read_until_answered(2)
            assert (await stream.ending())[0] is grpc.StatusCode.OK
        revision = await put_app(storage, app())
        async with asyncio.timeout(5):
            await propagation.wait_until_enforced(revision)
    async with storage.read() as unit:
        assert await unit.replicas.all() == []


async def test_an_api_that_was_killed_waits_for_the_replicas_of_its_former_life(
    storage: SqlStorage, api: PolicyApi
) -> None:
    """After a restart, a replica that has not come back is waited for as long as it may have a lease."""
    api.lease = 0.5
    async with api.running(), api.raw() as stream:
        await stream.hello()
        await stream.read_until_answered()
    before = time.monotonic()
    async with api.running() as propagation:
        revision = await put_app(storage, app())
        async with asyncio.timeout(5):
            assert await propagation.wait_until_enforced(revision) is Enforcement.EVERYWHERE
        assert time.monotonic() - before >= api.lease
        await propagation.forget_gone()
        async with storage.read() as unit:
            assert await unit.replicas.all() == []


async def test_without_a_lease_only_the_replicas_in_reach_are_waited_for(
    storage: SqlStorage, api: PolicyApi
) -> None:
    """With a lease of 0 a call waits for connected replicas, not for long, and says what that is worth."""
    api.lease = 0
    async with api.running() as propagation:
        async with api.raw() as stream:
            await stream.hello()
            await stream.read_until_answered()
            revision = await put_app(storage, app())
            before = time.monotonic()
            assert await propagation.wait_until_enforced(revision) is Enforcement.REACHABLE_ONLY
            assert time.monotonic() - before >= 0.3
            await stream.read()
            await stream.send(applied_revision=revision)
            assert await propagation.wait_until_enforced(revision) is Enforcement.REACHABLE_ONLY
        async with api.replica() as replica:
            await replica.fresh()
            assert replica.lease.time_left == math.inf
