"""Many tasks at once, and several processes' worth of storage on one database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest_asyncio

from doorward_server.domain.ids import Revision
from doorward_server.domain.tokens import Token
from doorward_server.services.ports import PastRequest
from doorward_server.storage import SqlStorage, open_storage
from tests.integration.storage import samples


class _GivenUpError(Exception):
    """Why a writer of a test rolls back."""


@pytest_asyncio.fixture
async def other(database_url: str) -> AsyncIterator[SqlStorage]:
    """The same database as `storage`, opened by somebody else."""
    async with await open_storage(database_url) as opened:
        yield opened


async def test_revisions_have_no_gaps(storage: SqlStorage, other: SqlStorage) -> None:
    """Fifty writers at once, one in five of which gives up, commit in the order of gapless revisions."""
    committed: list[Revision] = []
    seen: list[Revision] = []
    done = asyncio.Event()

    async def write(number: int) -> None:
        async with (storage if number % 2 else other).write() as work:
            app = samples.app(display_name=str(number))
            await work.apps.add(app)
            revision = await work.policy.app_changed(app.app_id)
            await asyncio.sleep(0)
            if number % 5 == 0:
                raise _GivenUpError
        committed.append(revision)

    async def watch() -> None:
        while not done.is_set():
            async with storage.read() as work:
                seen.append((await work.policy.head()).revision)
                changes = await work.policy.since(Revision(0), limit=100)
            # Whoever sees a revision sees all those before it.
            assert changes is not None
            assert [each.revision for each in changes] == list(range(1, seen[-1] + 1))

    watcher = asyncio.create_task(watch())
    results = await asyncio.gather(*(write(number) for number in range(50)), return_exceptions=True)
    done.set()
    await watcher
    assert sum(isinstance(each, _GivenUpError) for each in results) == 10
    assert sorted(committed) == list(range(1, 41))
    assert seen == sorted(seen)


async def test_no_update_is_lost(storage: SqlStorage, other: SqlStorage) -> None:
    """Writers that read an app first see each other's changes: its row is theirs until they end."""
    app = samples.app()
    async with storage.write() as work:
        await work.apps.add(app)

    async def relabel(number: int) -> None:
        async with (storage if number % 2 else other).write() as work:
            found = await work.apps.get(app.app_id)
            assert found is not None
            await asyncio.sleep(0)
            labels = dict(found.labels) | {f"k{number}": "v"}
            await work.apps.save(replace(found, labels=labels, version=found.version + 1))

    await asyncio.gather(*(relabel(number) for number in range(20)))
    async with storage.read() as work:
        found = await work.apps.get(app.app_id)
    assert found is not None
    assert found.version == 21
    assert found.labels == {"group": "A"} | {f"k{number}": "v" for number in range(20)}


async def test_regenerations_follow_one_another(storage: SqlStorage, other: SqlStorage) -> None:
    """Two who regenerate a token at once make two generations, not one."""
    token = samples.token()
    async with storage.write() as work:
        await work.tokens.add(token)

    async def regenerate(where: SqlStorage) -> None:
        async with where.write() as work:
            found = await work.tokens.get(token.token_id)
            assert found is not None
            await asyncio.sleep(0)
            number = found.generation + 1
            changed = replace(found, generations=(samples.generation(number),), version=number)
            await work.tokens.save(changed)

    await asyncio.gather(*(regenerate(where) for where in (storage, other) * 3))
    async with storage.read() as work:
        found = await work.tokens.get(token.token_id)
    assert found is not None
    assert found.generations == (samples.generation(7),)


async def test_the_last_admin_stays(storage: SqlStorage, other: SqlStorage) -> None:
    """Of two ADMIN tokens that are deleted at once, each unless it is the last one, one stays."""
    first, second = samples.admin(), samples.admin()
    async with storage.write() as work:
        await work.tokens.add(first)
        await work.tokens.add(second)

    async def delete_unless_last(token: Token) -> bool:
        async with other.write() as work:
            assert await work.tokens.get(token.token_id)
            if await work.tokens.live_admins(samples.NOON) == 1:
                return False
            await work.tokens.remove(token.token_id)
            return True

    async with storage.write() as work:
        assert await work.tokens.get(first.token_id)
        assert await work.tokens.live_admins(samples.NOON) == 2
        rival = asyncio.create_task(delete_unless_last(second))
        # Long enough for the rival to be done, if nothing held it up.
        assert not (await asyncio.wait({rival}, timeout=0.3))[0]
        await work.tokens.remove(first.token_id)
    assert await rival is False


async def test_equal_creates_make_one_app(storage: SqlStorage, other: SqlStorage) -> None:
    """Of equal creates at once, one is carried out and the others find it."""
    caller = samples.token().token_id

    async def create(where: SqlStorage) -> str:
        async with where.write() as work:
            past = await work.past_requests.find(caller, "request")
            if past is not None:
                return past.resource_id
            await asyncio.sleep(0)
            app = samples.app()
            await work.apps.add(app)
            await work.past_requests.add(
                PastRequest(
                    caller=caller,
                    request_id="request",
                    digest=b"same",
                    resource_id=app.app_id,
                    time=samples.NOON,
                )
            )
            return app.app_id

    assert len(set(await asyncio.gather(*(create(where) for where in (storage, other) * 5)))) == 1


async def test_more_readers_than_connections(storage: SqlStorage) -> None:
    """Readers without number wait for their turn, and a writer gets through meanwhile."""

    async def read() -> Revision:
        async with storage.read() as work:
            return (await work.policy.head()).revision

    async def write() -> Revision:
        async with storage.write() as work:
            return await work.policy.app_changed(samples.app().app_id)

    *revisions, written = await asyncio.gather(*(read() for _ in range(100)), write())
    assert written == 1
    assert set(revisions) <= {0, 1}
