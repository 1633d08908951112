"""The policy in the database: its revisions, and its entries for replicas."""

from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, TypeAlias

from sqlalchemy import Row, Select, and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from doorward_server.domain.apps import Access, AppState
from doorward_server.domain.ids import AppId, RegionName, Revision, SessionId, TokenId
from doorward_server.domain.policy import EndedSession, LiveSecret, PolicyApp, PolicyToken
from doorward_server.services.ports import Change, EntryKind, PolicyHead
from doorward_server.storage.apps import address
from doorward_server.storage.models import (
    AppLabelRow,
    AppRow,
    ChangeRow,
    GenerationRow,
    PolicyRow,
    SessionRow,
    TokenRow,
)
from doorward_server.storage.tokens import stored_selector

KEPT_CHANGES: Final = 10_000
"""How many changes are kept. A replica that is further behind takes a snapshot instead."""

_BATCH: Final = 2_000
"""How many entries are read at once: bounds memory, and lets other tasks run in between."""


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

    async def apps(self, region: RegionName | None) -> AsyncIterator[PolicyApp]:
        every = (
            select(
                AppRow.app_id,
                AppRow.region,
                AppRow.access,
                AppRow.operator_paths,
                AppRow.cors_preflight,
                AppRow.state,
                AppRow.host,
                AppRow.port,
            )
            .where(AppRow.state != AppState.DELETING)
            .order_by(AppRow.app_id)
            .limit(_BATCH)
        )
        if region is not None:
            every = every.where(AppRow.region == region)
        batch = every
        while rows := (await self._session.execute(batch)).all():
            labels = await self._labels(batch.with_only_columns(AppRow.app_id))
            for row in rows:
                yield PolicyApp(
                    app_id=row.app_id,
                    region=row.region,
                    labels=labels.get(row.app_id, {}),
                    public=row.access is Access.PUBLIC,
                    operator_paths=tuple(row.operator_paths),
                    cors_preflight=row.cors_preflight,
                    upstream=address(row.host, row.port) if row.state.serves else None,
                )
            batch = every.where(AppRow.app_id > rows[-1].app_id)

    async def tokens(self, region: RegionName | None, *, mac_key_id: str) -> AsyncIterator[PolicyToken]:
        every = select(TokenRow).order_by(TokenRow.token_id).limit(_BATCH)
        if region is not None:
            every = every.where(or_(TokenRow.region == region, TokenRow.region.is_(None)))
        after = TokenId("")
        while rows := (await self._session.execute(_with_secrets(every, after, mac_key_id))).all():
            for _, (row, *older) in groupby(rows, key=itemgetter(0)):
                yield _policy_token(row, older)
            after = rows[-1].token_id

    async def ended_sessions(self) -> AsyncIterator[EndedSession]:
        every = (
            select(SessionRow.session_id, SessionRow.expire_time)
            .where(SessionRow.end_time.is_not(None))
            .order_by(SessionRow.session_id)
            .limit(_BATCH)
        )
        batch = every
        while rows := (await self._session.execute(batch)).all():
            for session_id, expire_time in rows:
                yield EndedSession(session_id=session_id, expire_time=expire_time.timestamp())
            batch = every.where(SessionRow.session_id > rows[-1].session_id)

    async def _next_revision(self) -> Revision:
        # The row stays locked until the end, so that changes commit in the order of their revisions, and a
        # change that is rolled back leaves no gap.
        statement = update(PolicyRow).values(revision=PolicyRow.revision + 1).returning(PolicyRow.revision)
        statement = statement.execution_options(synchronize_session=False)
        revision = (await self._session.execute(statement)).scalar_one()
        await self._session.execute(delete(ChangeRow).where(ChangeRow.revision <= revision - KEPT_CHANGES))
        return Revision(revision)

    async def _labels(self, app_ids: Select[AppId]) -> dict[AppId, dict[str, str]]:
        statement = select(AppLabelRow.app_id, AppLabelRow.key, AppLabelRow.value)
        labels: dict[AppId, dict[str, str]] = {}
        for app_id, key, value in await self._session.execute(
            statement.where(AppLabelRow.app_id.in_(app_ids))
        ):
            labels.setdefault(app_id, {})[key] = value
        return labels


_TokenRow: TypeAlias = "Row[*tuple[Any, ...]]"
"""A row of `_with_secrets`."""


def _with_secrets(every: Select[TokenRow], after: TokenId, mac_key_id: str) -> "Select[*tuple[Any, ...]]":
    """The next batch of tokens, a row for each of their secrets, newest first, without its Argon2 hash."""
    token = aliased(TokenRow, every.where(TokenRow.token_id > after).subquery())
    return (
        select(
            token.token_id,
            token.role,
            token.region,
            token.selector,
            token.expire_time,
            GenerationRow.number,
            GenerationRow.mac,
            GenerationRow.expire_time,
        )
        .outerjoin(
            GenerationRow,
            and_(GenerationRow.token_id == token.token_id, GenerationRow.mac_key_id == mac_key_id),
        )
        .order_by(token.token_id, GenerationRow.number.desc())
    )


def _policy_token(row: _TokenRow, older: Sequence[_TokenRow]) -> PolicyToken:
    """A token from its rows: that of its newest secret, or of none, and those of older ones."""
    token_id, role, region, selector, _, number, _, _ = row
    secrets = () if number is None else (_secret(row), *map(_secret, older))
    return PolicyToken(
        token_id=token_id, role=role, region=region, selector=stored_selector(selector), secrets=secrets
    )


def _secret(row: _TokenRow) -> LiveSecret:
    _, _, _, _, token_end, number, mac, own_end = row
    ends = [end.timestamp() for end in (own_end, token_end) if end is not None]
    return LiveSecret(generation=number, mac=mac, expire_time=min(ends) if ends else None)


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
