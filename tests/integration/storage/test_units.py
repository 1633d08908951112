"""Transactions: what a unit of work promises."""

import asyncio
import gc
import warnings

import pytest
from sqlalchemy.exc import InvalidRequestError

from doorward_server.domain.ids import Revision
from doorward_server.services.ports import (
    AppFilter,
    AuditEvent,
    AuditFilter,
    PolicyHead,
    StorageUnavailableError,
    UnitOfWork,
)
from doorward_server.storage import SqlStorage, open_storage
from tests.integration.storage import samples


class _BrokenError(Exception):
    """What goes wrong in a test's block."""


async def _write_everywhere(work: UnitOfWork) -> None:
    """Write something with every repository."""
    app, token = samples.app(), samples.token()
    await work.apps.add(app)
    await work.tokens.add(token)
    revision = await work.policy.app_changed(app.app_id)
    await work.audit.add(
        AuditEvent(
            time=samples.NOON,
            actor=token.token_id,
            action="CreateApp",
            resource_type="app",
            resource_id=app.app_id,
            request_id="",
            revision=revision,
        )
    )
    await work.replicas.add("replica")


async def _is_untouched(storage: SqlStorage) -> bool:
    async with storage.read() as work:
        return (await work.policy.head()).revision == 0 and not [
            *await work.apps.page(AppFilter(), after=None, limit=1),
            *await work.tokens.page(after=None, limit=1),
            *await work.audit.page(AuditFilter(), before=None, limit=1),
            *(await work.policy.since(Revision(0), limit=1) or ()),
            *await work.replicas.all(),
        ]


async def test_commits_at_the_end(storage: SqlStorage) -> None:
    """What a block has written is there for everybody after it, and for nobody before."""
    async with storage.write() as work:
        await _write_everywhere(work)
        assert await _is_untouched(storage)
    assert not await _is_untouched(storage)


async def test_rolls_back_when_the_block_raises(storage: SqlStorage) -> None:
    """A block that raises leaves no trace, and its exception comes through as it is."""

    async def break_down() -> None:
        async with storage.write() as work:
            await _write_everywhere(work)
            raise _BrokenError

    with pytest.raises(_BrokenError):
        await break_down()
    assert await _is_untouched(storage)
    async with storage.write() as work:
        assert await work.policy.app_changed(samples.app().app_id) == 1


async def test_rolls_back_when_cancelled(storage: SqlStorage) -> None:
    """A task that is cancelled in its block leaves no trace and holds up no other writer."""
    written = asyncio.Event()

    async def write_and_hang() -> None:
        async with storage.write() as work:
            await _write_everywhere(work)
            written.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write_and_hang())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _is_untouched(storage)
    async with storage.write() as work:
        assert await work.policy.app_changed(samples.app().app_id) == 1


async def test_a_cancellation_at_any_moment_holds_up_nobody(storage: SqlStorage) -> None:
    """Writers that are cancelled whatever they are at leave no lock behind, and no connection too few."""

    async def write() -> None:
        while True:
            async with storage.write() as work:
                await _write_everywhere(work)

    for moment in range(60):
        writers = [asyncio.create_task(write()) for _ in range(2)]
        # Nothing is waited for: the moment is what is tried.
        await asyncio.sleep(moment * 0.0003)
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)
        async with asyncio.timeout(3), storage.write() as work:
            await work.policy.app_changed(samples.app().app_id)


async def test_read_is_a_snapshot(storage: SqlStorage) -> None:
    """A reader sees one moment from its first look on, whatever is committed, and holds up nobody."""
    async with storage.write() as work:
        await work.policy.app_changed(samples.app().app_id)
    async with storage.read() as before:
        assert (await before.policy.head()).revision == 1
        async with storage.write() as work:
            await _write_everywhere(work)
        assert (await before.policy.head()).revision == 1
        assert await before.policy.since(Revision(1), limit=9) == []
        assert await before.apps.page(AppFilter(), after=None, limit=1) == []
        assert [entry async for entry in before.policy.tokens(None, mac_key_id="key-1")] == []
    async with storage.read() as after:
        assert (await after.policy.head()).revision == 2


async def test_read_writes_nothing(storage: SqlStorage) -> None:
    """A reader cannot write."""
    with pytest.raises(StorageUnavailableError):
        async with storage.read() as work:
            await work.replicas.add("replica")
    assert await _is_untouched(storage)


async def test_is_over_after_its_block(storage: SqlStorage) -> None:
    """A unit of work that somebody kept does nothing more: it would never be committed."""
    for unit in (storage.read, storage.write):
        async with unit() as kept:
            await kept.policy.head()
        with pytest.raises(InvalidRequestError):
            await kept.policy.head()


async def test_everything_is_kept(database_url: str) -> None:
    """What was committed is there after everything was closed and opened again."""
    app = samples.app()
    async with await open_storage(database_url) as storage, storage.write() as work:
        await work.apps.add(app)
    async with await open_storage(database_url) as storage, storage.read() as work:
        assert await work.apps.get(app.app_id) == app


async def test_unclosed_storage_warns(database_url: str) -> None:
    """Storage that is dropped without being closed says so."""
    storage = await open_storage(database_url)
    # What drops it, in the reference implementation: the last name goes away.
    with pytest.warns(ResourceWarning, match="was never closed"):
        del storage


async def test_closing_twice(database_url: str) -> None:
    """Storage that was closed can be closed again, and says nothing when it is dropped."""
    storage = await open_storage(database_url)
    await storage.close()
    await storage.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del storage
        gc.collect()


async def test_closing_waits_for_what_is_open(storage: SqlStorage) -> None:
    """A transaction that is open when the storage is closed ends first, and gives its connection back."""
    began, may_end = asyncio.Event(), asyncio.Event()

    async def reads() -> PolicyHead:
        async with storage.read() as unit:
            await unit.policy.head()
            began.set()
            await may_end.wait()
            return await unit.policy.head()

    reading = asyncio.create_task(reads())
    await began.wait()
    closing = asyncio.create_task(storage.close())
    await asyncio.sleep(0)
    assert not closing.done()
    may_end.set()
    assert (await reading).revision == 0
    await closing
