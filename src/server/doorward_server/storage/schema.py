"""The database's schema: which one it has, and bringing it up to the one this version needs.

Migrations only go forward, and all that are needed make one transaction: an upgrade that fails changes
nothing. Alembic is told where things are by functions of its own that are global, so it runs in a thread,
one at a time.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, func, select

from doorward_server.storage import sqlite
from doorward_server.storage.engines import open_schema_engine
from doorward_server.storage.errors import SchemaMismatchError, StorageDefectError, translated
from doorward_server.storage.urls import DatabaseUrl, parse_database_url

_MIGRATIONS: Final = Path(__file__).with_name("migrations")
_ADVISORY_LOCK: Final = 0x646F6F7277617264  # "doorward"

_alembic = threading.Lock()


class Upgrade(NamedTuple):
    """What an upgrade has done; both are the same when there was nothing to do."""

    before: str | None
    """The schema's revision before; None: the database was empty."""
    after: str


async def upgrade(database_url: str) -> Upgrade:
    """Bring the database up to the schema that this version needs; makes SQLite's file if there is none.

    Of several at once, in any number of processes, one works and the others wait for it. Raises
    `DatabaseUrlError`, `SchemaMismatchError` when the database is newer, other `StorageUnavailableError`s.
    """
    return await asyncio.to_thread(_upgrade, parse_database_url(database_url))


async def current(database_url: str) -> str | None:
    """The revision of the database's schema; None: it is empty, or not there yet.

    Raises `DatabaseUrlError` and `StorageUnavailableError`.
    """
    return await asyncio.to_thread(_current, parse_database_url(database_url))


def head() -> str:
    """The revision of the schema that this version needs."""
    newest = _scripts().get_current_head()
    if newest is None:
        raise StorageDefectError("the migrations are not installed")
    return newest


async def check(database: DatabaseUrl) -> None:
    """Raise `SchemaMismatchError` unless the database has the schema that this version needs."""
    found = await asyncio.to_thread(_current, database)
    if found == head():
        return
    if found is None:
        raise SchemaMismatchError(f"{database} is empty or missing: run `doorward db upgrade`")
    _check_known(database, found)
    raise SchemaMismatchError(
        f"{database} has schema {found}, and this version needs {head()}: run `doorward db upgrade`"
    )


def alembic_config() -> Config:
    """Alembic's settings; `attributes["connection"]` is what it is to work on."""
    config = Config()
    # The file format of Alembic's settings gives `%` a meaning.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _upgrade(database: DatabaseUrl) -> Upgrade:
    if database.file is not None:
        sqlite.create_file(database.file)
    with _alembic, _transaction(database, writes=True) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        before = MigrationContext.configure(connection).get_current_revision()
        if before == head():
            return Upgrade(before, before)
        _check_known(database, before)
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if connection.dialect.name == "sqlite" and sqlite.broken_references(connection):
            raise StorageDefectError(f"{database}: the upgrade would leave rows that refer to nothing")
    return Upgrade(before, head())


def _current(database: DatabaseUrl) -> str | None:
    if database.file is not None and not database.file.exists():
        return None
    with _transaction(database, writes=False) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _check_known(database: DatabaseUrl, revision: str | None) -> None:
    try:
        if revision is not None:
            _scripts().get_revision(revision)
    except CommandError:
        raise SchemaMismatchError(
            f"{database} has schema {revision}, which this version does not know: a newer Doorward made it"
        ) from None


@contextmanager
def _transaction(database: DatabaseUrl, *, writes: bool) -> Iterator[Connection]:
    engine = open_schema_engine(database, writes=writes)
    try:
        with translated(str(database)), engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config())
