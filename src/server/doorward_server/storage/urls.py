"""Database URLs, as an operator writes them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from psycopg.pq import Conninfo
from sqlalchemy import URL, exc, make_url

from doorward_server.storage.errors import DatabaseUrlError

_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DatabaseUrl:
    """Where the database is."""

    url: URL
    """With the asyncio driver."""
    file: Path | None
    """SQLite's file; None: PostgreSQL."""

    def __str__(self) -> str:
        """A name for people: no password, and no parameters, which may hold one too."""
        if self.file is not None:
            return f"SQLite database {self.file}"
        host = self.url.host or self.url.normalized_query.get("host", ("the local socket",))[0]
        port = f":{self.url.port}" if self.url.port else ""
        return f"PostgreSQL database {self.url.database!r} at {host}{port}"

    __repr__ = __str__

    def sync(self) -> URL:
        """The URL with a driver for threads."""
        return self.url if self.file is None else self.url.set(drivername="sqlite+pysqlite")


def parse_database_url(text: str) -> DatabaseUrl:
    """Parse a URL such as `sqlite:////var/lib/doorward/doorward.db` or `postgresql://user@host/doorward`.

    Raises `DatabaseUrlError`.
    """
    try:
        url = make_url(text)
    except (exc.ArgumentError, ValueError):
        # The library's own text repeats the URL.
        raise DatabaseUrlError(
            "the database URL must look like sqlite:///path or postgresql://user@host/name"
        ) from None
    if url.drivername not in _DRIVERS:
        raise DatabaseUrlError(
            f"the database URL begins with {url.drivername[:40]!r}; it must begin with sqlite or postgresql"
        )
    url = url.set(drivername=_DRIVERS[url.drivername])
    if url.get_backend_name() == "postgresql":
        if not url.database:
            raise DatabaseUrlError("the database URL must name a database: postgresql://user@host/name")
        _check_parameters(url)
        return DatabaseUrl(url=url, file=None)
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise DatabaseUrlError("the database URL must name a file: sqlite:///path; an in-memory one is lost")
    if url.query:
        raise DatabaseUrlError("the database URL of a SQLite file takes no parameters")
    return DatabaseUrl(url=url, file=Path(url.database))


def _check_parameters(url: URL) -> None:
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    if unknown := sorted(url.query.keys() - known):
        raise DatabaseUrlError(
            f"the database URL has a parameter that PostgreSQL does not know: {unknown[0][:40]!r}"
        )
