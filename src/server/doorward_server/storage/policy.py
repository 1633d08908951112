"""The revisions of the policy in the database."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from doorward_server.domain.ids import AppId, RegionName, Revision, SessionId, TokenId
from doorward_server.domain.policy import EndedSession, PolicyApp
from doorward_server.services.ports import Change, EntryKind, PolicyHead, SecretRow
from doorward_server.storage.models import ChangeRow, PolicyRow
from doorward_server.storage.policy_entries import stored_apps, stored_ended_sessions, stored_tokens

KEPT_CHANGES: Final = 10_000
"""How many changes are kept. A replica that is further behind takes a snapshot instead."""


class SqlPolicyLog:
    """Implements `services.ports.PolicyLog`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def app_changed(self, app_id: AppId) -> Revision:
        revision = await self._next_revision()
        await self._session.execute(insert(ChangeRow).values(revision=revision, app_id=app_id))
        return revision

    async def token_changed(self, token_id: TokenId) -> Revision:
        revision = await self._next_revision()
        await self._session.execute(insert(ChangeRow).values(revision=revision, token_id=token_id))
        return revision

    async def session_ended(self, session_id: SessionId) -> Revision:
        revision = await self._next_revision()
        await self._session.execute(insert(ChangeRow).values(revision=revision, session_id=session_id))
        return revision

    async def head(self) -> PolicyHead:
        row = (await self._session.execute(select(PolicyRow.policy_id, PolicyRow.revision))).one()
        return PolicyHead(policy_id=row.policy_id, revision=Revision(row.revision))

    async def since(self, revision: Revision, *, limit: int) -> Sequence[Change] | None:
        head = await self.head()
        if revision == head.revision:
            return []
        statement = select(ChangeRow.revision, ChangeRow.app_id, ChangeRow.token_id, ChangeRow.session_id)
        statement = statement.where(ChangeRow.revision > revision).order_by(ChangeRow.revision).limit(limit)
        changes = [_change(*row) for row in await self._session.execute(statement)]
        # Revisions have no gaps, so a later first one means that some are gone. None at all: the caller is
        # ahead of the database, which was put back to an earlier state.
        return changes if changes and changes[0].revision == revision + 1 else None

    def apps(self, region: RegionName | None) -> AsyncIterator[Sequence[PolicyApp]]:
        return stored_apps(self._session, region)

    def tokens(self, region: RegionName | None, *, mac_key_id: str) -> AsyncIterator[Sequence[SecretRow]]:
        return stored_tokens(self._session, region, mac_key_id=mac_key_id)

    def ended_sessions(self) -> AsyncIterator[Sequence[EndedSession]]:
        return stored_ended_sessions(self._session)

    async def _next_revision(self) -> Revision:
        # The row stays locked until the end, so that changes commit in the order of their revisions, and a
        # change that is rolled back leaves no gap.
        statement = update(PolicyRow).values(revision=PolicyRow.revision + 1).returning(PolicyRow.revision)
        statement = statement.execution_options(synchronize_session=False)
        revision = (await self._session.execute(statement)).scalar_one()
        await self._session.execute(delete(ChangeRow).where(ChangeRow.revision <= revision - KEPT_CHANGES))
        return Revision(revision)


def _change(
    revision: int, app_id: AppId | None, token_id: TokenId | None, session_id: SessionId | None
) -> Change:
    if app_id is not None:
        return Change(Revision(revision), app_id, EntryKind.APP)
    if token_id is not None:
        return Change(Revision(revision), token_id, EntryKind.TOKEN)
    if session_id is not None:
        return Change(Revision(revision), session_id, EntryKind.SESSION)
    raise LookupError(f"change {revision} names no entry")
