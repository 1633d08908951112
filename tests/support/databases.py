"""Fixtures that give a test a database of its own, on SQLite and on PostgreSQL.

A test that asks for `database_url` or `storage` runs twice. Import the names into a `conftest.py`.
"""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from doorward_server.storage import SqlStorage, open_storage, upgrade
from tests.support.postgresql import PostgresServer, running_postgres

__all__ = [
    "database_url",
    "empty_database_url",
    "migrated_sqlite",
    "postgres",
    "postgres_template",
    "storage",
]

_TEMPLATE = "migrated"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server, started when the first test needs it."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """The name of a migrated PostgreSQL database, to be copied."""
    postgres.execute(f"CREATE DATABASE {_TEMPLATE}")
    asyncio.run(upgrade(postgres.url(_TEMPLATE)))
    return _TEMPLATE


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "doorward.db"
    asyncio.run(upgrade(f"sqlite:///{file}"))
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh, migrated database."""
    if request.param == "sqlite":
        file = tmp_path / "doorward.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), file)
        yield f"sqlite:///{file}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    template = request.getfixturevalue("postgres_template")
    yield from _postgres_database(server, f"TEMPLATE {template}")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a schema; of SQLite's not even the file is there."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    yield from _postgres_database(request.getfixturevalue("postgres"), "")


@pytest_asyncio.fixture
async def storage(database_url: str) -> AsyncIterator[SqlStorage]:
    """Fresh storage, closed after the test."""
    async with await open_storage(database_url) as opened:
        yield opened


def _postgres_database(server: PostgresServer, options: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    server.execute(f"CREATE DATABASE {name} {options}")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")
