"""The database as the use cases see it."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import Final, Self

from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncSession

from doorward_server.services.ports import UnitOfWork
from doorward_server.storage import schema
from doorward_server.storage.engines import Engines, PoolLoad
from doorward_server.storage.errors import CommitUnknownError, is_connection_lost, translated
from doorward_server.storage.session import open_session
from doorward_server.storage.unbroken import unbroken
from doorward_server.storage.unit import SqlUnitOfWork
from doorward_server.storage.urls import DatabaseUrl, parse_database_url

_CLOSE_SECONDS: Final = 5.0
"""How long transactions that are open have to end when the storage is closed."""


class SqlStorage:
    """Implements `services.ports.Storage`. Made by `open_storage`; close it, or use it in `async with`.

    Units of work do not nest: a task that opens one inside another may wait for a connection it holds.
    In a writing one, read the rows that will change before the first call of `policy`, whose row everybody
    locks last: two that lock in opposite orders stop each other, and PostgreSQL gives one of them up.
    """

    def __init__(self, database: DatabaseUrl, engines: Engines) -> None:
        self._name = str(database)
        self._engines = engines
        self._closed = False
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        """See `services.ports.Storage.write`.

        A cancellation during the commit is raised at the first `await` after the block: what must follow a
        change, such as telling the replicas of it, is not skipped because its caller has gone.

        Raises `StorageUnavailableError`; among them `CommitUnknownError`, when a connection broke so late
        that the change may have been made.
        """
        with translated(self._name), self._counted():
            session = open_session(self._engines.writer)
            try:
                yield SqlUnitOfWork(session, writes=True)
            except BaseException:
                await unbroken(session.close())
                raise
            await unbroken(self._commit(session))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        """See `services.ports.Storage.read`."""
        with translated(self._name), self._counted():
            session = open_session(self._engines.reader)
            try:
                yield SqlUnitOfWork(session, writes=False)
            finally:
                await unbroken(session.close())

    def pools(self) -> list[PoolLoad]:
        """How many connections there are, pool by pool."""
        return self._engines.pools()

    async def _commit(self, session: AsyncSession) -> None:
        """Commit, and give the connection back."""
        try:
            await session.commit()
        except exc.DBAPIError as error:
            if is_connection_lost(error):
                text = f"{self._name}: the connection broke in the commit; it may have been made, or not"
                raise CommitUnknownError(text) from None
            raise
        finally:
            await session.close()

    async def close(self) -> None:
        """Close every connection. Safe to call again.

        Transactions that are still open are waited for, for a while: a call that was cancelled ends the
        statement that it is in, and a connection that comes back later would never be closed.
        """
        self._closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._idle.wait()
        await self._engines.close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count a transaction for `close`, until its connection is given back."""
        self._open += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._open -= 1
            if not self._open:
                self._idle.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<SqlStorage: {self._name}>"

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            warnings.warn(f"{self!r} was never closed", ResourceWarning, source=self, stacklevel=2)


async def open_storage(database_url: str) -> SqlStorage:
    """Open a database whose schema is the one this version needs; `schema.upgrade` makes and upgrades it.

    Raises `DatabaseUrlError`, `SchemaMismatchError`, `DatabaseCorruptError` and other
    `StorageUnavailableError`s, each with one line that says what is wrong and never holds a password.
    """
    database = parse_database_url(database_url)
    await schema.check(database)
    return SqlStorage(database, Engines(database))
