"""The policy's revisions and entries in the database."""

import uuid
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward_server.domain.apps import App, AppState, AppStatus
from doorward_server.domain.ids import RegionName, Revision
from doorward_server.domain.tokens import Token
from doorward_server.policy.v1 import policy_pb2
from doorward_server.rpc.policy_messages import token_message
from doorward_server.rpc.policy_packing import pack_tokens
from doorward_server.services.ports import Change, EntryKind
from doorward_server.storage import SqlStorage, policy, policy_entries
from tests.integration.storage import samples

_sharing = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)


async def test_revisions_count_from_one(storage: SqlStorage) -> None:
    """Every change of an app or token gets the next number, and is told to who asks for what came after."""
    app, token = samples.app(), samples.token()
    async with storage.write() as work:
        assert await work.policy.app_changed(app.app_id) == 1
        assert await work.policy.token_changed(token.token_id) == 2
    async with storage.write() as work:
        assert await work.policy.app_changed(app.app_id) == 3
    async with storage.read() as work:
        assert (await work.policy.head()).revision == 3
        changes = await work.policy.since(Revision(0), limit=10)
        assert changes == [
            Change(Revision(1), app.app_id, EntryKind.APP),
            Change(Revision(2), token.token_id, EntryKind.TOKEN),
            Change(Revision(3), app.app_id, EntryKind.APP),
        ]
        assert await work.policy.since(Revision(1), limit=1) == changes[1:2]
        assert await work.policy.since(Revision(3), limit=10) == []


async def test_nobody_is_told_of_a_future(storage: SqlStorage) -> None:
    """Who knows a later revision than the database, which was put back to a copy, needs a snapshot."""
    async with storage.write() as work:
        await work.policy.app_changed(samples.app().app_id)
    async with storage.read() as work:
        assert await work.policy.since(Revision(2), limit=10) is None


async def test_old_changes_are_forgotten(storage: SqlStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the newest changes are kept; who is further behind needs a snapshot."""
    monkeypatch.setattr(policy, "KEPT_CHANGES", 5)
    app = samples.app()
    for _ in range(8):
        async with storage.write() as work:
            await work.policy.app_changed(app.app_id)
    async with storage.read() as work:
        assert await work.policy.since(Revision(2), limit=10) is None
        kept = await work.policy.since(Revision(3), limit=10)
    assert kept is not None
    assert [each.revision for each in kept] == [4, 5, 6, 7, 8]


async def test_every_database_has_its_own_policy(storage: SqlStorage) -> None:
    """The policy's id is a UUID that stays."""
    async with storage.read() as work:
        first = await work.policy.head()
    async with storage.read() as work:
        assert (await work.policy.head()).policy_id == first.policy_id == str(uuid.UUID(first.policy_id))


@pytest.fixture(params=[2, 2_000], ids="batches of {}".format)
def batch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many entries are read at once."""
    size: int = request.param
    monkeypatch.setattr(policy_entries, "_BATCH", size)
    return size


@pytest.mark.usefixtures("batch")
@_sharing
@given(apps=st.lists(samples.apps, max_size=6, unique_by=lambda app: app.app_id))
@pytest.mark.parametrize("region", [samples.GRA, None])
async def test_entries_of_apps(storage: SqlStorage, region: RegionName | None, apps: Sequence[App]) -> None:
    """Replicas are told of an app what the app says of itself."""
    async with storage.write() as work:
        for old in await work.apps.in_states(list(AppState)):
            await work.apps.remove(old.app_id)
        for app in apps:
            await work.apps.add(app)
    async with storage.read() as work:
        found = {entry.app_id: entry async for some in work.policy.apps(region) for entry in some}
    assert found == {
        app.app_id: entry
        for app in apps
        if region in (None, app.region) and (entry := app.policy_entry()) is not None
    }


@pytest.mark.usefixtures("batch")
@_sharing
@given(tokens=st.lists(samples.tokens(), max_size=6, unique_by=lambda token: token.token_id))
@pytest.mark.parametrize("region", [samples.GRA, None])
async def test_entries_of_tokens(
    storage: SqlStorage, region: RegionName | None, tokens: Sequence[Token]
) -> None:
    """Replicas are told of a token what the token says of itself, under the platform key in use."""
    async with storage.write() as work:
        for old in await work.tokens.page(after=None, limit=100):
            await work.tokens.remove(old.token_id)
        for token in tokens:
            await work.tokens.add(token)
    async with storage.read() as work:
        batches = [rows async for rows in work.policy.tokens(region, mac_key_id="key-1")]
    found = [policy_pb2.Token.FromString(packed) for rows in batches for packed in pack_tokens(rows)]
    assert len({entry.token_id for entry in found}) == len(found)
    assert {entry.token_id: entry for entry in found} == {
        token.token_id: token_message(token.policy_entry(mac_key_id="key-1"))
        for token in tokens
        if region is None or token.region in (None, region)
    }


async def test_many_entries(storage: SqlStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """All entries are told once, however many times what is read at once."""
    monkeypatch.setattr(policy_entries, "_BATCH", 50)
    apps = [samples.app(status=AppStatus(state=AppState.STOPPED)) for _ in range(151)]
    tokens = [samples.token(token_id=each) for each in samples.token_ids(151)]
    async with storage.write() as work:
        for app in apps:
            await work.apps.add(app)
        for token in tokens:
            await work.tokens.add(token)
    async with storage.read() as work:
        app_ids = [entry.app_id async for some in work.policy.apps(None) for entry in some]
        token_ids = [
            row.token_id async for rows in work.policy.tokens(None, mac_key_id="key-1") for row in rows
        ]
    assert app_ids == sorted(app.app_id for app in apps)
    assert token_ids == [token.token_id for token in tokens]
