"""What an operator is told when a database fails."""

import asyncio
import os
import secrets
import shutil
import socket
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from doorward_server.domain.apps import App, AppSpec, ProcessSource
from doorward_server.services.ports import StorageUnavailableError
from doorward_server.storage import (
    CommitUnknownError,
    DatabaseCorruptError,
    DatabaseUrlError,
    SqlStorage,
    StorageDefectError,
    current,
    open_storage,
    sqlite,
    upgrade,
)
from doorward_server.storage.urls import parse_database_url
from tests.integration.storage import samples
from tests.support.postgresql import PostgresServer

_PASSWORD = secrets.token_hex()


@pytest.fixture
def file(migrated_sqlite: Path, tmp_path: Path) -> Path:
    """A migrated SQLite database."""
    return Path(shutil.copy(migrated_sqlite, tmp_path / "doorward.db"))


async def _error_of_opening(url: str) -> str:
    with pytest.raises(StorageUnavailableError) as caught:
        await open_storage(url)
    text = str(caught.value)
    assert "\n" not in text
    assert _PASSWORD not in text
    return text


class TestSqlite:
    """SQLite's file and the disk it is on."""

    def test_not_a_database(self, file: Path) -> None:
        """A file that is something else is named, and stays what it is."""
        content = b"this was never a database " * 100
        file.write_bytes(content)
        assert asyncio.run(_error_of_opening(f"sqlite:///{file}")) == (
            f"SQLite database {file}: the file is not a SQLite database (SQLITE_NOTADB)"
        )
        with pytest.raises(DatabaseCorruptError):
            asyncio.run(upgrade(f"sqlite:///{file}"))
        assert file.read_bytes() == content

    def test_damaged(self, file: Path) -> None:
        """A file whose pages were overwritten is told to be damaged when they are read."""
        content = file.read_bytes()
        file.write_bytes(content[:100] + os.urandom(4_000) + content[4_100:])
        with pytest.raises(DatabaseCorruptError, match="SQLITE_CORRUPT"):
            asyncio.run(open_storage(f"sqlite:///{file}"))

    async def test_locked(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A lock that another process does not let go of is an error after a while, and nothing changes."""
        monkeypatch.setattr(sqlite, "_PRAGMAS", ("PRAGMA busy_timeout = 50",))
        async with await open_storage(f"sqlite:///{file}") as storage:
            with closing(sqlite3.connect(file, isolation_level=None)) as holder:
                holder.execute("BEGIN IMMEDIATE")
                with pytest.raises(StorageUnavailableError, match="stayed locked by another process"):
                    async with storage.write() as work:
                        await work.replicas.add("replica")
                holder.execute("ROLLBACK")
            async with storage.read() as work:
                assert await work.replicas.all() == []

    async def test_full(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A full disk is an error; what did not fit leaves no trace, and smaller changes go on."""
        monkeypatch.setattr(sqlite, "_PRAGMAS", ("PRAGMA max_page_count = 40",))
        huge = samples.app(spec=AppSpec(source=ProcessSource(command=("x" * 1_000_000,))))

        async def write(storage: SqlStorage) -> None:
            async with storage.write() as work:
                await work.replicas.add("replica")
                await work.apps.add(huge)

        async with await open_storage(f"sqlite:///{file}") as storage:
            with pytest.raises(StorageUnavailableError, match=r"the disk is full \(SQLITE_FULL\)"):
                await write(storage)
            async with storage.write() as work:
                assert await work.replicas.all() == []
                await work.replicas.add("small")

    async def test_missing_folder(self, tmp_path: Path) -> None:
        """A file in a folder that does not exist cannot be made."""
        url = f"sqlite:///{tmp_path / 'nowhere' / 'doorward.db'}"
        with pytest.raises(StorageUnavailableError, match=r"doorward.db: No such file or directory"):
            await upgrade(url)

    async def test_folder_in_its_place(self, tmp_path: Path) -> None:
        """A folder is not a database."""
        assert "the file cannot be opened" in await _error_of_opening(f"sqlite:///{tmp_path}")

    async def test_read_only(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file that cannot be written is an error that says so, and can still be read."""
        monkeypatch.setattr(sqlite, "_PRAGMAS", ("PRAGMA query_only = ON",))
        async with await open_storage(f"sqlite:///{file}") as storage:
            with pytest.raises(StorageUnavailableError, match="the database cannot be written"):
                async with storage.write() as work:
                    await work.replicas.add("replica")
            async with storage.read() as work:
                assert await work.replicas.all() == []


class TestPostgresql:
    """A server that cannot be reached or does not do its work."""

    @pytest.fixture
    def url(self, postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
        """A migrated database."""
        postgres.execute(f"CREATE DATABASE failing TEMPLATE {postgres_template}")
        yield postgres.url("failing")
        postgres.execute("DROP DATABASE failing WITH (FORCE)")

    async def test_refused(self) -> None:
        """A port where nothing listens is named with the host, and the password is not."""
        with socket.socket() as taken:
            # Bound but not listening: nobody else can listen there meanwhile.
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            url = f"postgresql://doorward:{_PASSWORD}@127.0.0.1:{port}/doorward?application_name={_PASSWORD}"
            text = await _error_of_opening(url)
        assert text.startswith(f"PostgreSQL database 'doorward' at 127.0.0.1:{port}: ")
        assert "refused" in text

    async def test_no_such_database(self, postgres: PostgresServer) -> None:
        """A database that does not exist is named."""
        text = await _error_of_opening(postgres.url("nowhere"))
        assert 'database "nowhere" does not exist' in text

    async def test_read_only(self, postgres: PostgresServer, url: str) -> None:
        """A server that takes no writes is an error that says so."""
        postgres.execute("ALTER DATABASE failing SET default_transaction_read_only = on")
        async with await open_storage(url) as storage:
            # On a connection that was read by before, too.
            async with storage.read() as work:
                assert await work.replicas.all() == []
            with pytest.raises(StorageUnavailableError, match="read-only transaction"):
                async with storage.write() as work:
                    await work.replicas.add("replica")

    async def test_connection_lost(self, postgres: PostgresServer, url: str) -> None:
        """A connection that breaks within a transaction loses it, and the next one works again."""
        async with await open_storage(url) as storage:

            async def write() -> None:
                async with storage.write() as work:
                    await work.replicas.add("replica")
                    _disconnect_all(postgres)
                    await work.replicas.add("another")

            with pytest.raises(StorageUnavailableError) as caught:
                await write()
            assert not isinstance(caught.value, CommitUnknownError)
            async with storage.write() as work:
                assert await work.replicas.all() == []

    async def test_connection_lost_in_the_commit(self, postgres: PostgresServer, url: str) -> None:
        """A connection that breaks in the commit leaves it open whether the change was made, and says so."""
        async with await open_storage(url) as storage:

            async def write() -> None:
                async with storage.write() as work:
                    await work.replicas.add("replica")
                    _disconnect_all(postgres)

            with pytest.raises(CommitUnknownError, match="it may have been made, or not"):
                await write()

    async def test_deadlock(self, url: str) -> None:
        """Of two that wait for each other one is given up and told so; the other one goes on."""
        first, second = samples.app(), samples.app()
        async with await open_storage(url) as storage:
            async with storage.write() as work:
                await work.apps.add(first)
                await work.apps.add(second)
            both = asyncio.Barrier(2)

            async def lock(one: App, other: App) -> None:
                async with storage.write() as work:
                    await work.apps.get(one.app_id)
                    await both.wait()
                    await work.apps.get(other.app_id)

            results = await asyncio.gather(lock(first, second), lock(second, first), return_exceptions=True)
        (error,) = [each for each in results if each is not None]
        assert isinstance(error, StorageUnavailableError)
        assert "deadlock detected (40P01)" in str(error)


def _disconnect_all(postgres: PostgresServer) -> None:
    postgres.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'failing'")


async def test_defect_tells_no_row(storage: SqlStorage) -> None:
    """A row that breaks a rule is a defect, which names the rule; nothing of the row is told anywhere."""
    secret = secrets.token_hex()
    source = ProcessSource(command=("run",), env={"API_KEY": secret})
    broken = samples.app(version=0, spec=AppSpec(source=source))
    with pytest.raises(StorageDefectError, match="ck_apps_version") as caught:
        async with storage.write() as work:
            await work.apps.add(broken)
    assert secret not in "".join(traceback.format_exception(caught.value))


async def test_statements_are_logged_without_values(
    storage: SqlStorage, caplog: pytest.LogCaptureFixture
) -> None:
    """However much is logged, what is stored is not."""
    secret = secrets.token_hex()
    source = ProcessSource(command=("run",), env={"API_KEY": secret})
    with caplog.at_level("DEBUG"), caplog.at_level("DEBUG", "sqlalchemy.engine"):
        async with storage.write() as work:
            await work.apps.add(samples.app(spec=AppSpec(source=source)))
    assert "INSERT INTO apps" in caplog.text
    assert secret not in caplog.text


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("", "must look like sqlite:///path"),
        (f"postgresql//{_PASSWORD}", "must look like sqlite:///path"),
        (f"postgresql://user:{_PASSWORD}@host:port/name", "must look like"),
        (f"mysql://user:{_PASSWORD}@host/name", "begins with 'mysql'"),
        (f"postgresql+asyncpg://user:{_PASSWORD}@host/name", "begins with 'postgresql\\+asyncpg'"),
        (f"postgresql://user:{_PASSWORD}@host", "must name a database"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:///file:x?mode=memory", "must name a file"),
        (f"sqlite:///x.db?key={_PASSWORD}", "takes no parameters"),
        (f"postgresql:///x?host=/run&pass={_PASSWORD}", "a parameter that PostgreSQL does not know: 'pass'"),
    ],
    ids=lambda value: "",
)
async def test_wrong_url(url: str, rule: str) -> None:
    """A URL that cannot be used is refused with the rule it breaks, and is not repeated."""
    for use in (open_storage, upgrade, current):
        with pytest.raises(DatabaseUrlError, match=rule) as caught:
            await use(url)
        assert _PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:////srv/d.db", "SQLite database /srv/d.db"),
        ("sqlite+aiosqlite:///d.db", "SQLite database d.db"),
        (f"postgres://u:{_PASSWORD}@db:5433/x", "PostgreSQL database 'x' at db:5433"),
        (f"postgresql+psycopg://u:{_PASSWORD}@/x?host=/run/pg", "PostgreSQL database 'x' at /run/pg"),
        (f"postgresql:///x?password={_PASSWORD}", "PostgreSQL database 'x' at the local socket"),
    ],
)
def test_name_of_a_database(url: str, name: str) -> None:
    """A database is named without its password and parameters, in every way to show it."""
    database = parse_database_url(url)
    assert str(database) == repr(database) == name
