"""The policy stream over real gRPC, on a real database."""

import asyncio
import logging
import math
import secrets
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from doorward_server.domain.apps import App, AppSpec, AppState, AppStatus
from doorward_server.domain.credentials import PlatformKey, Secret, mint_secret
from doorward_server.domain.ids import Revision
from doorward_server.domain.policy import Address
from doorward_server.domain.tokens import Token
from doorward_server.policy.v1 import policy_pb2
from doorward_server.rpc import policy_feed, policy_stream
from doorward_server.services.boottime import boottime
from doorward_server.services.clock import utc_now
from doorward_server.services.ports import SessionRecord, Storage, StorageUnavailableError, UnitOfWork
from doorward_server.services.propagation import Enforcement
from doorward_server.storage import SqlStorage
from tests.integration.storage.samples import BHS, GRA, NOON, admin, app, generation, session, token
from tests.support.policy import PolicyApi
from tests.support.waiting import eventually


@pytest.fixture
def key() -> PlatformKey:
    """A platform key of this test."""
    return PlatformKey("key-1", secrets.token_bytes(32))


@pytest.fixture
def api(storage: SqlStorage, key: PlatformKey) -> Iterator[PolicyApi]:
    """The api's end, not running yet; in a folder with a short name, as sockets want it."""
    with tempfile.TemporaryDirectory(prefix="dw-") as folder:
        yield PolicyApi(storage=storage, key=key, socket=Path(folder) / "api.sock")


async def put_app(storage: Storage, entry: App) -> Revision:
    """Store a new app."""
    async with storage.write() as unit:
        await unit.apps.add(entry)
        return await unit.policy.app_changed(entry.app_id)


async def put_token(storage: Storage, entry: Token) -> Revision:
    """Store a new token."""
    async with storage.write() as unit:
        await unit.tokens.add(entry)
        return await unit.policy.token_changed(entry.token_id)


async def remove_token(storage: Storage, entry: Token) -> Revision:
    """Remove a token."""
    async with storage.write() as unit:
        await unit.tokens.remove(entry.token_id)
        return await unit.policy.token_changed(entry.token_id)


def with_secret(key: PlatformKey, entry: Token) -> tuple[Token, Secret]:
    """A token that has a real secret."""
    secret = mint_secret(entry.token_id)
    mac = key.token_macs().mac(secret)
    return replace(entry, generations=(generation(mac=mac, mac_key_id=key.key_id),)), secret


def serving(entry: App) -> App:
    """The app, running."""
    status = AppStatus(state=AppState.RUNNING, address=Address(host="127.0.0.1", port=9000))
    return replace(entry, status=status)


async def test_a_replica_knows_what_was_there_and_what_came_later(
    storage: SqlStorage, api: PolicyApi, key: PlatformKey
) -> None:
    """A replica has every app and token, those from before its start and those from after."""
    old, secret = with_secret(key, token())
    await put_token(storage, old)
    async with api.running() as propagation, api.replica() as replica:
        await replica.fresh()
        found = replica.index.authenticate(secret)
        assert found is not None
        assert found[0] == old.policy_entry(mac_key_id=key.key_id)
        entry = serving(app())
        revision = await put_app(storage, entry)
        assert await propagation.wait_until_enforced(revision) is Enforcement.EVERYWHERE
        assert replica.index.app_at(f"{entry.app_id}.app.gra.localhost:8080") == entry.policy_entry()


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


async def end_session(storage: Storage, entry: SessionRecord) -> Revision:
    """End a session that was stored."""
    async with storage.write() as unit:
        await unit.sessions.end(entry.session_id, NOON)
        return await unit.policy.session_ended(entry.session_id)


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


async def test_an_app_on_its_way_out_leaves_the_replicas(storage: SqlStorage, api: PolicyApi) -> None:
    """An app that is being deleted is unknown to replicas, as one that is deleted."""
    entry = serving(app())
    await put_app(storage, entry)
    async with api.running() as propagation, api.replica() as replica:
        await replica.fresh()
        assert replica.index.app(entry.app_id) is not None
        async with storage.write() as unit:
            await unit.apps.save(entry.in_state(AppState.DELETING, at=NOON))
            revision = await unit.policy.app_changed(entry.app_id)
        await propagation.wait_until_enforced(revision)
        assert replica.index.app(entry.app_id) is None


async def test_a_replica_of_one_region_is_told_of_that_region(
    storage: SqlStorage, api: PolicyApi, key: PlatformKey
) -> None:
    """A region's replica holds its apps and tokens and those of every region; others move its revision."""
    async with api.running() as propagation, api.replica(region=GRA) as replica:
        await put_app(storage, here := serving(app()))
        await put_app(storage, there := serving(app(region=BHS)))
        (everywhere, admin_secret), (elsewhere, foreign_secret) = (
            with_secret(key, admin()),
            with_secret(key, token(region=BHS)),
        )
        await put_token(storage, everywhere)
        revision = await put_token(storage, elsewhere)
        await replica.fresh()
        await propagation.wait_until_enforced(revision)
        assert replica.follower.revision == revision
        assert replica.index.app(here.app_id) is not None
        assert replica.index.app(there.app_id) is None
        assert replica.index.authenticate(admin_secret) is not None
        assert replica.index.authenticate(foreign_secret) is None
        # The same, when it is all in the snapshot.
        async with api.replica(region=GRA) as late:
            await late.fresh()
            assert (len(late.index), late.follower.revision) == (2, revision)


async def test_a_snapshot_comes_in_parts_of_bounded_size(
    storage: SqlStorage, api: PolicyApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large policy is sent in parts, of which the last is marked and has the revision; it is all there."""
    monkeypatch.setattr(policy_feed, "_PART_BYTES", 700)
    async with storage.write() as unit:
        for _ in range(25):
            await unit.tokens.add(token())
        await unit.apps.add(entry := app())
        revision = await unit.policy.app_changed(entry.app_id)
    async with api.running(), api.raw() as stream:
        await stream.hello()
        welcome, *parts, _ = await stream.read_until_answered()
        assert welcome.HasField("welcome")
        assert [part.snapshot.last for part in parts] == [False] * (len(parts) - 1) + [True]
        assert [part.revision for part in parts] == [0] * (len(parts) - 1) + [revision]
        assert sum(len(part.snapshot.tokens) for part in parts) == 25
        assert [each.app_id for part in parts for each in part.snapshot.apps] == [entry.app_id]
        assert len(parts) >= 3
        assert max(part.snapshot.ByteSize() for part in parts) < 1_500


async def test_a_replica_that_comes_back_is_told_the_changes_alone(
    storage: SqlStorage, api: PolicyApi
) -> None:
    """A replica that still knows this policy gets what has changed, any other gets all of it."""
    await put_app(storage, app())
    async with storage.read() as unit:
        head = await unit.policy.head()
    await put_app(storage, added := app())
    async with api.running():
        async with api.raw() as stream:
            await stream.hello(policy_id=head.policy_id, applied=head.revision)
            _, changes = await stream.read_until_answered()
            assert [change.app.app_id for change in changes.changes.changes] == [added.app_id]
        for policy_id, applied in ((head.policy_id, 0), (head.policy_id, 99), ("another", head.revision)):
            async with api.raw() as stream:
                await stream.hello(policy_id=policy_id, applied=applied)
                _, snapshot, _ = await stream.read_until_answered()
                assert len(snapshot.snapshot.apps) == 2


async def test_the_hello_is_answered_behind_the_whole_policy(storage: SqlStorage, api: PolicyApi) -> None:
    """Nothing before the last revision answers a replica, so none has a lease before it has the policy."""
    await put_app(storage, app())
    async with api.running(), api.raw() as stream:
        await stream.hello()
        *before, last = await stream.read_until_answered()
        assert {response.answered_sequence for response in before} == {0}
        assert (last.answered_sequence, last.revision) == (1, 1)


@pytest.mark.parametrize("presented", ["", "00" * 32, "not hexadecimal"])
async def test_without_the_stream_key_there_is_no_stream(api: PolicyApi, presented: str) -> None:
    """A peer that does not have the platform key is told nothing, and what is wrong."""
    async with api.running(), api.raw(stream_key=presented) as stream:
        code, text = await stream.ending()
        assert code is grpc.StatusCode.UNAUTHENTICATED
        assert "same platform key" in text


@pytest.mark.parametrize(
    ("hello", "names"),
    [
        (None, "hello: the first message"),
        (policy_pb2.Hello(replica_id="1"), "hello.replica_id: must be a UUID"),
        (policy_pb2.Hello(replica_id=str(uuid.uuid4()), region="Mars"), "hello.region: 'Mars' is not one of"),
        (
            policy_pb2.Hello(replica_id=str(uuid.uuid4()), display_name="a\nb"),
            "hello.display_name: must have printable characters",
        ),
    ],
)
async def test_a_hello_that_is_none_is_refused(
    api: PolicyApi, hello: policy_pb2.Hello | None, names: str
) -> None:
    """A stream that does not begin as it should ends with what is wrong."""
    async with api.running(), api.raw() as stream:
        await stream.send(hello=hello)
        code, text = await stream.ending()
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert names in text


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ({"hello": policy_pb2.Hello(replica_id=str(uuid.uuid4()))}, "only the first message"),
        ({"sequence": 7}, "message 7 came after message 1"),
        ({"applied_revision": 9}, "revision 9 was acknowledged before it was sent"),
        ({"applied_revision": -1}, "revision -1 was acknowledged after 0"),
        ({"token_uses": [policy_pb2.TokenUse()]}, "token_uses: must be 12 letters"),
    ],
)
async def test_a_message_that_contradicts_the_stream_ends_it(
    api: PolicyApi, message: dict[str, object], names: str
) -> None:
    """What a replica says must fit to the stream, or the stream ends."""
    async with api.running(), api.raw() as stream:
        await stream.hello()
        await stream.read_until_answered()
        await stream.send(**message)  # type: ignore[arg-type]
        code, text = await stream.ending()
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert names in text


async def test_every_message_is_answered(api: PolicyApi) -> None:
    """A heartbeat is answered at once, though nothing has changed: that renews the lease."""
    async with api.running(), api.raw() as stream:
        await stream.hello()
        await stream.read_until_answered()
        for sequence in (2, 3):
            await stream.send()
            (answer,) = await stream.read_until_answered(sequence)
            assert answer.WhichOneof("body") is None


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


async def test_uses_of_tokens_reach_the_database(storage: SqlStorage, api: PolicyApi) -> None:
    """What replicas say of last uses is stored; the future, and tokens that are gone, are not believed."""
    entry = token()
    await put_token(storage, entry)
    used = utc_now() - timedelta(minutes=5)
    # A stream that is silent for three heartbeats breaks off, and what it was told of uses is lost until the next
    # ones: on a busy machine, that is not to happen here.
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


async def test_a_replica_that_does_not_read_is_let_go(
    storage: SqlStorage,
    api: PolicyApi,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A slow replica neither piles up messages nor keeps a view of the database open for ever."""
    monkeypatch.setattr(policy_stream, "_STALL_SECONDS", 0.2)
    # More than gRPC itself takes before it makes a writer wait.
    long = AppSpec(source=app().spec.source, operator_paths=("/" + "x" * 200_000,))
    async with storage.write() as unit:
        for _ in range(60):
            await unit.apps.add(app(spec=long))
        await unit.policy.app_changed(app().app_id)
    async with api.running(), api.raw() as stream:
        await stream.hello()

        async def ended() -> bool:
            return f"{stream.replica_id} has disconnected" in caplog.text

        caplog.set_level(logging.INFO)
        await eventually(ended, what="the stream ends")
        # Whoever reads on learns why.
        assert await stream.ending() == (grpc.StatusCode.DEADLINE_EXCEEDED, "the replica does not read")


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


async def test_no_secret_is_in_the_log(
    storage: SqlStorage, api: PolicyApi, key: PlatformKey, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither end writes keys, MACs or secrets into its log, whatever happens."""
    caplog.set_level(logging.DEBUG)
    entry, secret = with_secret(key, token())
    await put_token(storage, entry)
    async with api.running(), api.replica() as replica:
        await replica.fresh()
    async with api.running(), api.raw(stream_key="00" * 32) as stream:
        await stream.ending()
    assert "Following the policy" in caplog.text
    mac = entry.generations[0].mac
    hidden = (secret.reveal(), key.stream_key().hex(), key.material.hex(), mac.hex(), repr(mac), "00" * 32)
    assert not [each for each in hidden if each in caplog.text]


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


async def test_a_server_knows_what_is_committed_from_its_start(
    storage: SqlStorage, api: PolicyApi, key: PlatformKey
) -> None:
    """It measures replicas by the newest revision, also by one that was made before it was started."""
    revision = await put_token(storage, with_secret(key, token())[0])
    async with api.running() as propagation:
        assert propagation.newest_revision == revision
        async with api.replica(region=GRA) as replica:

            async def acknowledged() -> bool:
                return [view.applied for view in propagation.replicas()] == [revision]

            await eventually(acknowledged, what="the replica has acknowledged what there is")
            (view,) = propagation.replicas()
            assert (view.identity.replica_id, view.identity.region) == (replica.follower.replica_id, GRA)
            assert view.behind is None
        assert propagation.replicas() == []
