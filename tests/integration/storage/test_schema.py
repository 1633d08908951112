"""The migrations, and the schema they end with."""

import asyncio
import shutil
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, Engine, Integer, create_engine, inspect, text

from doorward_server.storage import (
    SchemaMismatchError,
    StorageDefectError,
    Upgrade,
    current,
    head,
    open_storage,
    upgrade,
)
from doorward_server.storage.engines import open_schema_engine
from doorward_server.storage.models import Base
from doorward_server.storage.urls import parse_database_url
from tests.integration.storage import samples


def _engine(database_url: str) -> Engine:
    return create_engine(parse_database_url(database_url).sync())


def _run(database_url: str, statement: str) -> None:
    engine = _engine(database_url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


async def test_upgrades_an_empty_database(empty_database_url: str) -> None:
    """An empty database is brought to the newest schema, once; a second time there is nothing to do."""
    assert await current(empty_database_url) is None
    assert await upgrade(empty_database_url) == Upgrade(None, head())
    assert await current(empty_database_url) == head()
    assert await upgrade(empty_database_url) == Upgrade(head(), head())


async def test_upgrades_at_once(empty_database_url: str) -> None:
    """Of several upgrades at once one does the work, and the others find it done."""
    results = await asyncio.gather(*(upgrade(empty_database_url) for _ in range(4)))
    assert sorted(each.before or "" for each in results) == ["", head(), head(), head()]


async def test_two_processes_upgrade_at_once(empty_database_url: str) -> None:
    """Upgrades in several processes wait for each other too."""
    program = (
        "import asyncio, sys\n"
        "from doorward_server.storage import upgrade\n"
        "print(asyncio.run(upgrade(sys.argv[1])).before)\n"
    )
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, empty_database_url, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    outputs = await asyncio.gather(*(each.communicate() for each in processes))
    assert sorted(output.decode().strip() for output, _ in outputs) == sorted(["None", head()])


async def test_failed_upgrade_changes_nothing(empty_database_url: str) -> None:
    """An upgrade that fails half way leaves the database as it was."""
    _create_file(empty_database_url)
    _run(empty_database_url, "CREATE TABLE replicas (mine INTEGER)")
    with pytest.raises(StorageDefectError, match=r"SQLITE_ERROR|DuplicateTable"):
        await upgrade(empty_database_url)
    engine = _engine(empty_database_url)
    tables = inspect(engine).get_table_names()
    engine.dispose()
    assert tables == ["replicas"]


def _create_file(database_url: str) -> None:
    file = parse_database_url(database_url).file
    if file is not None:
        file.touch()


async def test_migrations_end_with_the_models(database_url: str) -> None:
    """Alembic finds no difference between a migrated database and the models."""
    engine = _engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert differences == []


async def test_migrations_make_the_same_schema(empty_database_url: str) -> None:
    """A migrated database is the same as one made from the models, to the last constraint."""
    _create_file(empty_database_url)
    engine = _engine(empty_database_url)
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        expected = _description(connection)
        Base.metadata.drop_all(connection)
    await upgrade(empty_database_url)
    with engine.connect() as connection:
        assert _description(connection) == expected
    engine.dispose()


_POSTGRESQL = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT table_name, column_name,
    concat_ws(' ', data_type, character_maximum_length, collation_name, is_nullable, column_default)
    FROM information_schema.columns WHERE table_schema = 'public'
"""


def _description(connection: Connection) -> set[Any]:
    if connection.dialect.name == "postgresql":
        rows = connection.execute(text(_POSTGRESQL)).all()
    else:
        rows = connection.execute(text("SELECT tbl_name, name, sql FROM sqlite_schema")).all()
    return {_unordered(row) for row in rows if row[0] not in ("alembic_version", "sqlite_sequence")}


def _unordered(row: Any) -> tuple[Any, ...]:
    """A row with the lines of a table's definition sorted: the order of its constraints means nothing.

    Nor do the quotes that SQLite puts around the name of a table that was made anew.
    """
    *names, definition = row
    definition = (definition or "").replace(f'CREATE TABLE "{names[1]}"', f"CREATE TABLE {names[1]}")
    return *names, tuple(sorted(line.strip(" ,\t") for line in definition.splitlines()))


async def test_opens_no_empty_database(empty_database_url: str) -> None:
    """A database without a schema is not opened, nor is a file made, and the error says what to do."""
    with pytest.raises(SchemaMismatchError, match="empty or missing: run `doorward db upgrade`"):
        await open_storage(empty_database_url)
    file = parse_database_url(empty_database_url).file
    assert file is None or not file.exists()


async def test_opens_no_newer_database(database_url: str) -> None:
    """A database of a newer version is neither opened nor upgraded."""
    _run(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaMismatchError, match="schema 9999, which this version does not know: a newer"):
        await open_storage(database_url)
    with pytest.raises(SchemaMismatchError, match="a newer Doorward made it"):
        await upgrade(database_url)
    assert await current(database_url) == "9999"


async def test_opens_no_older_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that lacks migrations is not opened, and the error says what to do."""
    monkeypatch.setattr("doorward_server.storage.schema.head", lambda: "9999")
    with pytest.raises(SchemaMismatchError, match="has schema 0003, and this version needs 9999: run"):
        await open_storage(database_url)


async def test_remaking_a_table_keeps_what_refers_to_it(migrated_sqlite: Path, tmp_path: Path) -> None:
    """SQLite changes a table by making it anew; an upgrade that does so deletes no row of another table."""
    url = f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'doorward.db')}"
    app = samples.app(labels={"group": "A"})
    async with await open_storage(url) as storage, storage.write() as work:
        await work.apps.add(app)
    engine = open_schema_engine(parse_database_url(url), writes=True)
    with engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("apps", recreate="always") as table:
            table.add_column(Column("added", Integer()))
    async with await open_storage(url) as storage, storage.read() as work:
        assert await work.apps.get(app.app_id) == app


async def test_upgrade_leaves_no_broken_reference(tmp_path: Path) -> None:
    """An upgrade of SQLite after which a row would refer to nothing is not committed."""
    url = f"sqlite:///{tmp_path / 'doorward.db'}"
    _run(url, "CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    _run(url, "CREATE TABLE child (parent INTEGER REFERENCES parent (id))")
    _run(url, "INSERT INTO child VALUES (1)")
    with pytest.raises(StorageDefectError, match="rows that refer to nothing"):
        await upgrade(url)
    assert await current(url) is None


async def test_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """SQLite's file and its journals can be read by their owner alone, whatever the umask."""
    url = f"sqlite:///{tmp_path / 'doorward.db'}"
    await upgrade(url)
    async with await open_storage(url) as storage, storage.write() as work:
        await work.replicas.add("replica")
        modes = _modes(tmp_path)
    assert modes == dict.fromkeys(["doorward.db", "doorward.db-wal", "doorward.db-shm"], "-rw-------")


def _modes(folder: Path) -> dict[str, str]:
    return {file.name: stat.filemode(file.stat().st_mode) for file in folder.iterdir()}
