"""What replicas know of the policy, over real gRPC and from a real database."""

import pytest

from doorward_server.domain.apps import AppState
from doorward_server.domain.credentials import PlatformKey
from doorward_server.rpc import policy_feed
from doorward_server.services.propagation import Enforcement
from doorward_server.storage import SqlStorage
from tests.integration.policy_stream.changes import put_app, put_token, serving, with_secret
from tests.integration.storage.samples import BHS, GRA, NOON, admin, app, token
from tests.support.policy import PolicyApi
from tests.support.waiting import eventually


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


async def test_every_message_is_answered(api: PolicyApi) -> None:
    """A heartbeat is answered at once, though nothing has changed: that renews the lease."""
    async with api.running(), api.raw() as stream:
        await stream.hello()
        await stream.read_until_answered()
        for sequence in (2, 3):
            await stream.send()
            (answer,) = await stream.read_until_answered(sequence)
            assert answer.WhichOneof("body") is None


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
