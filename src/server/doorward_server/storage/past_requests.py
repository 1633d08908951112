"""The creates of the last days, in the database."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from doorward_server.domain.ids import TokenId
from doorward_server.services.ports import PastRequest
from doorward_server.storage.models import PastRequestRow

_KEPT_FOR: Final = timedelta(days=7)


class SqlPastRequests:
    """Implements `services.ports.PastRequests`."""

    def __init__(self, session: AsyncSession, *, writes: bool) -> None:
        self._session = session
        self._writes = writes

    async def find(self, caller: TokenId, request_id: str) -> PastRequest | None:
        if self._writes:
            await self._lock(caller, request_id)
        row = await self._session.get(PastRequestRow, (caller, request_id), populate_existing=True)
        if row is None:
            return None
        return PastRequest(
            caller=row.caller,
            request_id=row.request_id,
            digest=row.digest,
            resource_id=row.resource_id,
            time=row.time,
        )

    async def add(self, request: PastRequest) -> None:
        await self._session.execute(
            insert(PastRequestRow).values(
                caller=request.caller,
                request_id=request.request_id,
                digest=request.digest,
                resource_id=request.resource_id,
                time=request.time,
            )
        )
        await self._session.execute(
            delete(PastRequestRow).where(PastRequestRow.time < request.time - _KEPT_FOR)
        )

    async def _lock(self, caller: TokenId, request_id: str) -> None:
        # There is no row yet that could be locked. Of two equal creates at once, the second one waits here,
        # and then finds the first. SQLite has one writer at a time anyway.
        if self._session.get_bind().dialect.name == "postgresql":
            key = func.hashtextextended(f"{caller} {request_id}", 0)
            await self._session.execute(select(func.pg_advisory_xact_lock(key)))
