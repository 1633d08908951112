"""The apps in the database."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from doorward_server.domain.apps import App, AppState, AppStatus
from doorward_server.domain.ids import AppId
from doorward_server.services.ports import AppFilter, Position
from doorward_server.storage import SqlStorage, StorageDefectError
from tests.integration.storage import samples

# Examples share one database, and may share an id: each begins by removing what has it.
_sharing = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)


@_sharing
@given(app=samples.apps)
async def test_reads_back_what_was_added(storage: SqlStorage, app: App) -> None:
    """Every app that the domain allows is read back as it was stored."""
    async with storage.write() as work:
        await work.apps.remove(app.app_id)
        await work.apps.add(app)
    async with storage.read() as work:
        assert await work.apps.get(app.app_id) == app


@_sharing
@given(before=samples.apps, after=samples.apps)
async def test_reads_back_what_was_saved(storage: SqlStorage, before: App, after: App) -> None:
    """Saving replaces everything, labels included, whatever was there before."""
    after = replace(after, app_id=before.app_id)
    async with storage.write() as work:
        await work.apps.remove(before.app_id)
        await work.apps.add(before)
    async with storage.write() as work:
        assert await work.apps.get(before.app_id) == before
        await work.apps.save(after)
        assert await work.apps.get(before.app_id) == after
    async with storage.read() as work:
        assert await work.apps.get(before.app_id) == after


async def test_what_no_database_can_hold_is_replaced(storage: SqlStorage) -> None:
    """A program's message with NUL or half a character in it is stored all the same."""
    app = samples.app().in_state(AppState.FAILED, at=samples.NOON, message="exit\0code \ud83d 1")
    async with storage.write() as work:
        await work.apps.add(app)
    async with storage.read() as work:
        stored = await work.apps.get(app.app_id)
    assert stored is not None
    assert stored.status.message == stored.status.history[-1].message == "exit\ufffdcode \ufffd 1"


async def test_times_are_utc(storage: SqlStorage) -> None:
    """Times come back in UTC, and one without a zone is refused."""
    app = samples.app()
    async with storage.write() as work:
        await work.apps.add(app)
        stored = await work.apps.get(app.app_id)
    assert stored is not None
    assert stored.create_time.tzname() == "UTC"
    naive = samples.app(create_time=samples.NOON.replace(tzinfo=None))
    with pytest.raises(Exception, match="without a time zone"):
        async with storage.write() as work:
            await work.apps.add(naive)


async def test_unknown_app(storage: SqlStorage) -> None:
    """An app that is not stored is None to read, nothing to remove and a defect to save."""
    app = samples.app()
    async with storage.write() as work:
        assert await work.apps.get(app.app_id) is None
        await work.apps.remove(app.app_id)
    with pytest.raises(LookupError, match=app.app_id):
        async with storage.write() as work:
            await work.apps.save(app)


async def test_same_id_twice(storage: SqlStorage) -> None:
    """An id that is taken is a defect, and the app that has it stays."""
    app = samples.app()
    async with storage.write() as work:
        await work.apps.add(app)
    with pytest.raises(StorageDefectError, match="apps"):
        async with storage.write() as work:
            await work.apps.add(replace(app, display_name="other"))
    async with storage.read() as work:
        assert await work.apps.get(app.app_id) == app


async def test_removed_app(storage: SqlStorage) -> None:
    """A removed app is gone with its labels, and its id can be stored again."""
    app = samples.app(labels={"group": "A", "team": "x"})
    async with storage.write() as work:
        await work.apps.add(app)
    async with storage.write() as work:
        assert await work.apps.get(app.app_id)
        await work.apps.remove(app.app_id)
        assert await work.apps.get(app.app_id) is None
    bare = replace(app, labels={})
    async with storage.write() as work:
        await work.apps.add(bare)
    async with storage.read() as work:
        assert await work.apps.get(app.app_id) == bare


async def test_pages_newest_first(storage: SqlStorage) -> None:
    """Pages follow each other without a gap or a repeat, newest first, ids deciding between equal times."""
    stored = [samples.app(create_time=samples.NOON + timedelta(microseconds=n // 3)) for n in range(20)]
    async with storage.write() as work:
        for app in stored:
            await work.apps.add(app)
    expected = sorted(stored, key=lambda app: (app.create_time, app.app_id), reverse=True)
    found: list[App] = []
    after = None
    async with storage.read() as work:
        while page := await work.apps.page(AppFilter(), after=after, limit=6):
            assert len(page) <= 6
            found.extend(page)
            after = Position(page[-1].create_time, page[-1].app_id)
    assert found == expected


async def test_page_goes_on_after_removal(storage: SqlStorage) -> None:
    """A page begins where the last one ended, also when the entry it ended with is gone."""
    stored = [samples.app(create_time=samples.NOON + timedelta(seconds=n)) for n in range(4)]
    async with storage.write() as work:
        for app in stored:
            await work.apps.add(app)
        first = await work.apps.page(AppFilter(), after=None, limit=2)
        await work.apps.remove(first[-1].app_id)
        position = Position(first[-1].create_time, first[-1].app_id)
        assert await work.apps.page(AppFilter(), after=position, limit=9) == [stored[1], stored[0]]


async def test_page_of_region_and_states(storage: SqlStorage) -> None:
    """A filter's conditions must all hold."""
    here = samples.app(status=AppStatus(state=AppState.RUNNING))
    elsewhere = samples.app(status=AppStatus(state=AppState.RUNNING), region=samples.BHS)
    stopped = samples.app(status=AppStatus(state=AppState.STOPPED))
    async with storage.write() as work:
        for app in (here, elsewhere, stopped):
            await work.apps.add(app)
        which = AppFilter(region=samples.GRA, states=frozenset({AppState.RUNNING, AppState.FAILED}))
        assert await work.apps.page(which, after=None, limit=9) == [here]


async def test_in_states(storage: SqlStorage) -> None:
    """All apps in some states are found, in one region or another; no state finds none."""
    wanted = {
        state: samples.app(status=AppStatus(state=state)) for state in (AppState.RUNNING, AppState.QUEUED)
    }
    async with storage.write() as work:
        for app in (*wanted.values(), samples.app(status=AppStatus(state=AppState.ERROR))):
            await work.apps.add(app)
    for unit in (storage.read, storage.write):
        async with unit() as work:
            found = await work.apps.in_states(wanted)
            assert sorted(found, key=_id) == sorted(wanted.values(), key=_id)
            assert await work.apps.in_states([]) == []


def _id(app: App) -> AppId:
    return app.app_id
