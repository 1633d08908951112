"""The audit log in the database."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from doorward_server.domain.ids import Revision
from doorward_server.services.ports import AuditEvent, AuditFilter
from doorward_server.storage.models import AuditRow


class SqlAuditLog:
    """Implements `services.ports.AuditLog`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, event: AuditEvent) -> None:
        row = AuditRow(
            time=event.time,
            actor=event.actor,
            action=event.action,
            resource_type=event.resource_type,
            resource_id=event.resource_id,
            request_id=event.request_id,
            revision=event.revision,
            details=dict(event.details),
        )
        self._session.add(row)
        await self._session.flush()

    async def page(self, which: AuditFilter, *, before: int | None, limit: int) -> Sequence[AuditEvent]:
        statement = select(AuditRow).order_by(AuditRow.event_id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(AuditRow.event_id < before)
        if which.actor is not None:
            statement = statement.where(AuditRow.actor == which.actor)
        if which.action is not None:
            statement = statement.where(AuditRow.action == which.action)
        if which.resource_id is not None:
            statement = statement.where(AuditRow.resource_id == which.resource_id)
        if which.start_time is not None:
            statement = statement.where(AuditRow.time >= which.start_time)
        if which.end_time is not None:
            statement = statement.where(AuditRow.time < which.end_time)
        return [_event(row) for row in (await self._session.scalars(statement)).all()]


def _event(row: AuditRow) -> AuditEvent:
    return AuditEvent(
        event_id=row.event_id,
        time=row.time,
        actor=row.actor,
        action=row.action,
        resource_type=row.resource_type,
        resource_id=row.resource_id,
        request_id=row.request_id,
        revision=None if row.revision is None else Revision(row.revision),
        details=row.details,
    )
