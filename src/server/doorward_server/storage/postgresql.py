"""PostgreSQL: sessions that read and write as SQLite's do, and wait for nothing forever."""

from typing import Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

_SETTINGS: Final = (
    # Times come back in this zone; another one could push the last days of year 9999 over the edge.
    "SET TIME ZONE 'UTC'",
    "SET lock_timeout = '10s'",
    # A session whose client froze must not keep its locks.
    "SET idle_in_transaction_session_timeout = '60s'",
)

CONNECT_TIMEOUT: Final = "5"
"""In seconds, unless the URL has a `connect_timeout` of its own."""


def prepare(engine: Engine) -> None:
    """Set up each new connection of the engine."""

    def connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        try:
            for setting in _SETTINGS:
                cursor.execute(setting)
        finally:
            cursor.close()
        connection.commit()

    event.listen(engine, "connect", connected)


def pool_options() -> dict[str, Any]:
    """Options of the engine: a connection that the server has closed is found out before it is used."""
    return {
        "pool_size": 10,
        "max_overflow": 0,
        "pool_timeout": 30,
        "pool_pre_ping": True,
        "pool_recycle": 1_800,
    }
