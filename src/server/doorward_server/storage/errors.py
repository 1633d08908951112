"""What goes wrong with a database, told without repeating anything that is stored in it.

```
StorageUnavailableError (services.ports)
├── DatabaseCorruptError     the file or the pages of the server are damaged
├── SchemaMismatchError      the database was made for another version of Doorward
└── CommitUnknownError       the connection broke while a change was being committed
StorageSettingError (services.ports)
└── DatabaseUrlError         the URL cannot be used
StorageDefectError           a defect of Doorward
```

Drivers quote rows and connection strings in their errors, which may hold secrets. So none of their errors
leaves this package: `translated` puts one of the above in its place.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from sqlalchemy import exc

from doorward_server.services.ports import StorageSettingError, StorageUnavailableError


class DatabaseCorruptError(StorageUnavailableError):
    """The database is damaged, or is not a database at all."""


class SchemaMismatchError(StorageUnavailableError):
    """The database's schema is older or newer than this version of Doorward needs."""


class CommitUnknownError(StorageUnavailableError):
    """The connection broke during a commit: the change may have been made, or not."""


class DatabaseUrlError(StorageSettingError):
    """The database URL cannot be used. The text never repeats the URL, which may hold a password."""


class StorageDefectError(RuntimeError):
    """A statement or a row broke a rule of the database, which correct code never does."""


@contextmanager
def translated(database: str) -> Iterator[None]:
    """Turn what a driver raises in the block into this module's errors.

    *database* names the database for people, without a password.
    """
    try:
        yield
    except exc.DBAPIError as error:
        raise _meaning(error, database).with_traceback(error.__traceback__) from None
    except exc.TimeoutError as error:
        text = f"{database}: every connection stayed busy for too long"
        raise StorageUnavailableError(text).with_traceback(error.__traceback__) from None


def is_connection_lost(error: exc.DBAPIError) -> bool:
    """Whether the connection broke, so that nobody can tell whether a commit was carried out."""
    # SQLite is not among them: it has no connection to lose, and rolls back what it could not commit.
    orig = error.orig
    return isinstance(orig, psycopg.Error) and (
        error.connection_invalidated or (orig.sqlstate or "08").startswith(("08", "57P"))
    )


def _meaning(error: exc.DBAPIError, database: str) -> Exception:
    match error.orig:
        case sqlite3.Error() as orig:
            return _meaning_of_sqlite(orig, database)
        case psycopg.Error() as orig:
            return _meaning_of_postgresql(orig, database)
        case other:
            return StorageDefectError(f"{database}: {type(other).__name__}")


# Primary result codes (https://www.sqlite.org/rescode.html). The driver gives extended ones, which begin so.
_SQLITE_CORRUPT: Final = {
    "SQLITE_NOTADB": "the file is not a SQLite database",
    "SQLITE_CORRUPT": "the file is damaged",
}
_SQLITE_UNAVAILABLE: Final = {
    "SQLITE_BUSY": "the database stayed locked by another process for too long",
    "SQLITE_LOCKED": "the database is locked",
    "SQLITE_READONLY": "the database cannot be written",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_IOERR": "the disk failed to read or write",
    "SQLITE_CANTOPEN": "the file cannot be opened or created",
    "SQLITE_PERM": "the file may not be opened",
    "SQLITE_AUTH": "the file may not be opened",
    "SQLITE_NOMEM": "memory is exhausted",
    "SQLITE_PROTOCOL": "the database is locked",
    "SQLITE_INTERRUPT": "the statement was interrupted",
}


def _meaning_of_sqlite(orig: sqlite3.Error, database: str) -> Exception:
    name = getattr(orig, "sqlite_errorname", None)
    if name is None:
        # Raised by the driver itself: a connection that is closed, or a wrong use of it.
        kind = StorageUnavailableError if isinstance(orig, sqlite3.OperationalError) else StorageDefectError
        return kind(f"{database}: {type(orig).__name__} in the driver")
    for code, text in _SQLITE_CORRUPT.items():
        if name.startswith(code):
            return DatabaseCorruptError(f"{database}: {text} ({name})")
    for code, text in _SQLITE_UNAVAILABLE.items():
        if name.startswith(code):
            return StorageUnavailableError(f"{database}: {text} ({name})")
    if name.startswith("SQLITE_CONSTRAINT"):
        # Names a constraint or columns, never a value.
        return StorageDefectError(f"{database}: {orig} ({name})")
    return StorageDefectError(f"{database}: {name}")


# Classes of SQLSTATE, see https://www.postgresql.org/docs/current/errcodes-appendix.html.
_POSTGRESQL_UNAVAILABLE: Final = (
    "08",  # connection exception
    "25006",  # read-only transaction: a standby, or default_transaction_read_only
    "28",  # password refused, role unknown
    "3D000",  # no such database
    "40",  # deadlock, serialization failure
    "42501",  # insufficient privilege
    "53",  # disk full, too many connections, out of memory
    "55P03",  # lock_timeout ran out
    "57",  # shut down, cannot connect now, statement cancelled
    "58",  # the server's disk
)


def _meaning_of_postgresql(orig: psycopg.Error, database: str) -> Exception:
    state, primary = orig.sqlstate, orig.diag.message_primary
    if state is None and isinstance(orig, psycopg.OperationalError):
        # From libpq or the driver, which may tell several attempts on several lines.
        return StorageUnavailableError(f"{database}: {_first_line(str(orig))}")
    if state is not None and state.startswith("XX00"):
        return DatabaseCorruptError(f"{database}: {primary} ({state})")
    if state is not None and state.startswith(_POSTGRESQL_UNAVAILABLE):
        return StorageUnavailableError(f"{database}: {primary} ({state})")
    # Details quote the row, and the message of a data error (class 22) quotes the value: neither is told.
    broken = f" of {orig.diag.constraint_name}" if orig.diag.constraint_name else ""
    return StorageDefectError(f"{database}: {type(orig).__name__}{broken} ({state})")


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
