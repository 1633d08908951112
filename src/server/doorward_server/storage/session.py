"""The session that units of work are made on."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from doorward_server.storage.unbroken import completed


class UncutSession(AsyncSession):
    """Begins no statement that it does not end: a cancellation waits for the one that is under way.

    SQLite's driver runs statements in a thread. Who is cancelled while one runs there leaves its cursor open,
    and with it the transaction: the database stays locked until the cursor happens to be collected.
    """

    async def execute(self, *args: Any, **options: Any) -> Any:
        return await completed(super().execute(*args, **options))

    async def get(self, *args: Any, **options: Any) -> Any:
        return await completed(super().get(*args, **options))

    async def flush(self, *args: Any, **options: Any) -> None:
        await completed(super().flush(*args, **options))


def open_session(engine: AsyncEngine) -> AsyncSession:
    """A session for one unit of work."""
    # Closed for good at the end of its block: a unit of work that is kept longer cannot begin another one.
    return UncutSession(engine, autoflush=False, expire_on_commit=False, close_resets_only=False)
