"""The sessions of browsers in the database."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from doorward_server.domain.ids import SessionId
from doorward_server.services.ports import SessionRecord
from doorward_server.storage.models import SessionRow

_KEPT_FOR: Final = timedelta(days=1)
"""How long a session is kept after its end. A replica whose clock is late may take it for live that long."""


class SqlSessions:
    """Implements `services.ports.SessionRepository`."""

    def __init__(self, session: AsyncSession, *, writes: bool) -> None:
        self._session = session
        self._writes = writes

    async def get(self, session_id: SessionId) -> SessionRecord | None:
        statement = select(SessionRow).where(SessionRow.session_id == session_id)
        if self._writes:
            statement = statement.with_for_update()
        row = (await self._session.scalars(statement.execution_options(populate_existing=True))).one_or_none()
        if row is None:
            return None
        return SessionRecord(
            session_id=row.session_id,
            token_id=row.token_id,
            app_id=row.app_id,
            create_time=row.create_time,
            expire_time=row.expire_time,
            end_time=row.end_time,
        )

    async def add(self, session: SessionRecord) -> None:
        await self._session.execute(
            insert(SessionRow).values(
                session_id=session.session_id,
                token_id=session.token_id,
                app_id=session.app_id,
                create_time=session.create_time,
                expire_time=session.expire_time,
                end_time=session.end_time,
            )
        )
        await self._session.execute(
            delete(SessionRow).where(SessionRow.expire_time < session.create_time - _KEPT_FOR)
        )

    async def end(self, session_id: SessionId, at: datetime) -> None:
        statement = update(SessionRow).where(SessionRow.session_id == session_id).values(end_time=at)
        await self._session.execute(statement.execution_options(synchronize_session=False))
