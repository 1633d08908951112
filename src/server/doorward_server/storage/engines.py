"""The connections to a database: one engine that writes, and one that reads."""

from typing import Any, Final

from sqlalchemy import Engine, NullPool, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from doorward_server.storage import postgresql, sqlite
from doorward_server.storage.urls import DatabaseUrl

# Parameters hold hashes of secrets, and values of apps' environments.
_PRIVATE: Final = {"hide_parameters": True}


class Engines:
    """A writer whose transactions follow one another, and a reader whose transactions are snapshots.

    On PostgreSQL both use one pool. On SQLite each has its own, and the writer's has one connection: writers
    queue for it, first come, first served, where SQLite would have them poll for the lock.
    """

    def __init__(self, database: DatabaseUrl) -> None:
        """Connects to nothing yet."""
        if database.file is not None:
            self.writer = _sqlite(database, writes=True, options=sqlite.writer_options())
            self.reader = _sqlite(database, writes=False, options=sqlite.reader_options())
            return
        engine = create_async_engine(_with_timeout(database), **_PRIVATE, **postgresql.pool_options())
        postgresql.prepare(engine.sync_engine)
        # Row locks order writers, and after waiting for one a writer must see what was committed meanwhile.
        self.writer = engine.execution_options(isolation_level="READ COMMITTED")
        self.reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    async def close(self) -> None:
        """Close every connection."""
        await self.reader.dispose()
        await self.writer.dispose()


def open_schema_engine(database: DatabaseUrl, *, writes: bool) -> Engine:
    """An engine for a thread that looks at the schema or upgrades it; it keeps no connection open."""
    if database.file is not None:
        engine = create_engine(database.sync(), poolclass=NullPool, **_PRIVATE)
        sqlite.prepare(engine, writes=writes)
        sqlite.let_tables_be_remade(engine)
        return engine
    engine = create_engine(_with_timeout(database), poolclass=NullPool, **_PRIVATE)
    postgresql.prepare(engine)
    return engine


def _sqlite(database: DatabaseUrl, *, writes: bool, options: dict[str, Any]) -> AsyncEngine:
    engine = create_async_engine(database.url, **_PRIVATE, **options)
    sqlite.prepare(engine.sync_engine, writes=writes)
    return engine


def _with_timeout(database: DatabaseUrl) -> Any:
    url = database.sync()
    if "connect_timeout" in url.query:
        return url
    return url.update_query_dict({"connect_timeout": postgresql.CONNECT_TIMEOUT})
