"""The connections to a database: one engine that writes, and one that reads."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine, NullPool, QueuePool, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from doorward_server.storage import postgresql, sqlite
from doorward_server.storage.urls import DatabaseUrl

# Parameters hold hashes of secrets, and values of apps' environments.
_PRIVATE: Final = {"hide_parameters": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLoad:
    """How many connections a pool has at a moment."""

    name: str
    size: int
    """How many it may have."""
    in_use: int
    idle: int


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
        # Whether it may write is the server's to say: a connection that was read by before would ask for READ
        # WRITE, which overrides `default_transaction_read_only`, and is another error on a standby.
        self.writer = engine.execution_options(isolation_level="READ COMMITTED", postgresql_readonly=None)
        self.reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def pools(self) -> list[PoolLoad]:
        """Every pool once: `writer` and `reader`, or `all` where both use one."""
        if self.writer.pool is self.reader.pool:
            return [_load("all", self.writer)]
        return [_load("writer", self.writer), _load("reader", self.reader)]

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


def _load(name: str, engine: AsyncEngine) -> PoolLoad:
    pool = engine.pool
    if not isinstance(pool, QueuePool):
        raise TypeError(f"the pool {name} is a {type(pool).__name__}, which counts nothing")
    return PoolLoad(name=name, size=pool.size(), in_use=pool.checkedout(), idle=pool.checkedin())


def _sqlite(database: DatabaseUrl, *, writes: bool, options: dict[str, Any]) -> AsyncEngine:
    engine = create_async_engine(database.url, **_PRIVATE, **options)
    sqlite.prepare(engine.sync_engine, writes=writes)
    return engine


def _with_timeout(database: DatabaseUrl) -> Any:
    url = database.sync()
    if "connect_timeout" in url.query:
        return url
    return url.update_query_dict({"connect_timeout": postgresql.CONNECT_TIMEOUT})
