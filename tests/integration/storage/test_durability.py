"""What was committed survives the process that committed it."""

import asyncio
import os
import sys
from pathlib import Path

from sqlalchemy import text

from doorward_server.domain.ids import Revision
from doorward_server.services.ports import AppFilter
from doorward_server.storage import open_storage
from doorward_server.storage.engines import Engines
from doorward_server.storage.urls import parse_database_url

_WRITER = Path(__file__).with_name("endless_writer.py")
_ACKNOWLEDGED = 25


async def test_killed_in_the_middle(database_url: str) -> None:
    """A writer that is killed has lost nothing that it was told is committed, and left nothing half done."""
    writer = await asyncio.create_subprocess_exec(
        sys.executable,
        _WRITER,
        database_url,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert writer.stdout is not None
    try:
        acknowledged = [int(await writer.stdout.readline()) for _ in range(_ACKNOWLEDGED)]
    finally:
        writer.kill()
        rest = await writer.stdout.read()
        await writer.wait()
    last = max(acknowledged + [int(line) for line in rest.split()])
    async with await open_storage(database_url) as storage:
        async with storage.read() as work:
            head = await work.policy.head()
            changes = await work.policy.since(Revision(0), limit=100_000)
            apps = await work.apps.page(AppFilter(), after=None, limit=100_000)
        # One more may have been committed without a chance to say so.
        assert head.revision in (last, last + 1)
        assert changes is not None
        assert [each.revision for each in changes] == list(range(1, head.revision + 1))
        assert {app.app_id for app in apps} == {each.entry for each in changes}
        assert all(app.labels == {"group": "A"} for app in apps)
        async with storage.write() as work:
            assert await work.policy.app_changed(apps[0].app_id) == head.revision + 1


async def test_sqlite_waits_for_the_disk(migrated_sqlite: Path) -> None:
    """SQLite answers a commit when the disk has it (synchronous=FULL), and readers never wait (WAL)."""
    engines = Engines(parse_database_url(f"sqlite:///{migrated_sqlite}"))
    for engine in (engines.writer, engines.reader):
        async with engine.connect() as connection:
            settings = {
                name: (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
                for name in ("synchronous", "journal_mode", "foreign_keys", "trusted_schema")
            }
        assert settings == {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1, "trusted_schema": 0}
    await engines.close()
