"""SQLite: what makes it durable, and safe to use from many tasks."""

import logging
import os
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from doorward_server.services.ports import StorageUnavailableError

BUSY_TIMEOUT_MS: Final = 5_000
"""How long a statement waits for a lock that another process holds."""

_PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    # Readers never wait for the writer, nor the writer for them.
    "PRAGMA journal_mode = WAL",
    # NORMAL would lose the last commits with the power: a deleted token would come back to life.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # A file that somebody else could write runs no functions of ours.
    "PRAGMA trusted_schema = OFF",
)

# It logs statements with their parameters.
logging.getLogger("aiosqlite").setLevel(logging.INFO)


def create_file(file: Path) -> None:
    """Make the file with mode 0600, unless it exists; SQLite gives its journals the same mode.

    Raises `StorageUnavailableError`.
    """
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StorageUnavailableError(f"SQLite database {file}: {error.strerror}") from None


def prepare(engine: Engine, *, writes: bool) -> None:
    """Make the engine's connections durable, and its transactions real ones.

    The driver's own transactions begin at the first change, not at the first read, so it is told to begin
    none (`isolation_level = None`) and BEGIN is sent here. A writer takes the write lock at once, since one
    that read first and then had to wait would see its reads outdated (SQLITE_BUSY_SNAPSHOT).
    """

    def connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        try:
            for pragma in _PRAGMAS:
                cursor.execute(pragma)
            if not writes:
                cursor.execute("PRAGMA query_only = ON")
        finally:
            cursor.close()

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def let_tables_be_remade(engine: Engine) -> None:
    """Stop enforcing references: an upgrade that makes a table anew would delete what refers to it.

    Whoever does so asks `broken_references` before committing.
    """

    def connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        try:
            cursor.execute("PRAGMA foreign_keys = OFF")
        finally:
            cursor.close()

    event.listen(engine, "connect", connected)


def broken_references(connection: Connection) -> bool:
    """Whether a row refers to one that is not there."""
    return connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None


def writer_options() -> dict[str, Any]:
    """Options of the engine that writes: one connection, for which writers queue in the order they come."""
    return {"pool_size": 1, "max_overflow": 0, "pool_timeout": 30}


def reader_options() -> dict[str, Any]:
    """Options of the engine that reads."""
    return {"pool_size": 4, "max_overflow": 0, "pool_timeout": 30}
