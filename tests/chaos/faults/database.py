"""The database is locked, may not be written, is full, or is not there."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from random import Random
from typing import Any

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.chaos.faults.processes import running_child
from tests.chaos.hooks.switches import switch
from tests.chaos.world import World


@asynccontextmanager
async def locked_sqlite(world: World, _rng: Random) -> AsyncIterator[None]:
    """Another program holds the write lock."""
    file = world.platform.home / "doorward.db"
    with closing(sqlite3.connect(file, timeout=10, isolation_level=None, check_same_thread=False)) as other:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@asynccontextmanager
async def read_only_sqlite(world: World, _rng: Random) -> AsyncIterator[None]:
    """SQLite refuses every write (SQLITE_READONLY)."""
    file = switch(world.platform.home, "read-only")
    file.touch()
    try:
        yield
    finally:
        file.unlink()


@asynccontextmanager
async def full_disk(world: World, _rng: Random) -> AsyncIterator[None]:
    """Not one byte more goes into a file of api's (RLIMIT_FSIZE): every write of SQLite's fails."""
    api = await running_child(world, "api")
    before = api.rlimit(psutil.RLIMIT_FSIZE)
    api.rlimit(psutil.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        # Another fault may have ended it, and the next one has no limit.
        with suppress(psutil.NoSuchProcess):
            api.rlimit(psutil.RLIMIT_FSIZE, before)


@asynccontextmanager
async def locked_postgresql(world: World, _rng: Random) -> AsyncIterator[None]:
    """Another session holds the table of the revision, from readers as well."""
    async with await _connected(world) as other, other.transaction():
        await other.execute("LOCK TABLE policy IN ACCESS EXCLUSIVE MODE")
        yield


@asynccontextmanager
async def read_only_postgresql(world: World, _rng: Random) -> AsyncIterator[None]:
    """The server refuses every write, as a standby does."""
    async with await _connected(world, autocommit=True) as other:
        await other.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        await other.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            await other.execute("ALTER SYSTEM RESET default_transaction_read_only")
            await other.execute("SELECT pg_reload_conf()")


@asynccontextmanager
async def full_postgresql(world: World, _rng: Random) -> AsyncIterator[None]:
    """The server finds no room for a row (SQLSTATE 53100), and goes on to read and delete."""
    async with await _connected(world, autocommit=True) as other:
        # What PostgreSQL raises when a file cannot grow, from inside of the statement.
        await other.execute(
            """
            CREATE OR REPLACE FUNCTION chaos_full() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE disk_full USING MESSAGE = 'could not extend file: No space left on device';
            END $$
            """
        )
        rows = await (
            await other.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        ).fetchall()
        tables = [sql.Identifier(str(name)) for (name,) in rows]
        trigger = sql.SQL(
            "CREATE OR REPLACE TRIGGER chaos_full BEFORE INSERT OR UPDATE ON {} EXECUTE FUNCTION chaos_full()"
        )
        try:
            for table in tables:
                await other.execute(trigger.format(table))
            yield
        finally:
            for table in tables:
                await other.execute(sql.SQL("DROP TRIGGER IF EXISTS chaos_full ON {}").format(table))


@asynccontextmanager
async def postgresql_away(world: World, _rng: Random) -> AsyncIterator[None]:
    """Every connection is cut, and no new one is let in."""
    async with await _connected(world, database="postgres", autocommit=True) as other:
        name = conninfo_to_dict(_url(world))["dbname"]
        alter = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        database = sql.Identifier(str(name))
        await other.execute(alter.format(database, sql.SQL("false")))
        try:
            await other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            yield
        finally:
            await other.execute(alter.format(database, sql.SQL("true")))


def _url(world: World) -> str:
    return world.platform.environment["DOORWARD_DATABASE_URL"]


async def _connected(
    world: World, *, database: str | None = None, autocommit: bool = False
) -> "psycopg.AsyncConnection[tuple[Any, ...]]":
    """A session of another program, in the platform's database or another one."""
    conninfo = _url(world) if database is None else make_conninfo(_url(world), dbname=database)
    return await psycopg.AsyncConnection.connect(conninfo, autocommit=autocommit)
