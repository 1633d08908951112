"""The policy's entries in the database, read for replicas: some at a time, each once.

A million of them must be told in seconds, so rows are read as they are, without the objects of the ORM.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import Row, Select, String, and_, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from doorward_server.domain.apps import Access, AppState
from doorward_server.domain.ids import AppId, RegionName, TokenId
from doorward_server.domain.policy import EndedSession, PolicyApp
from doorward_server.services.ports import SecretRow
from doorward_server.storage.apps import address
from doorward_server.storage.models import AppLabelRow, AppRow, GenerationRow, SessionRow, TokenRow

_BATCH: Final = 2_000
"""How many entries are read at once: bounds memory, and lets other tasks run in between."""

_Row: TypeAlias = "Row[*tuple[Any, ...]]"
_Statement: TypeAlias = "Select[*tuple[Any, ...]]"

# The tables' columns: with the classes' attributes in their place, a statement is the ORM's.
_apps, _labels = AppRow.__table__.c, AppLabelRow.__table__.c
_tokens, _generations = TokenRow.__table__.c, GenerationRow.__table__.c
_sessions = SessionRow.__table__.c


async def stored_apps(session: AsyncSession, region: RegionName | None) -> AsyncIterator[list[PolicyApp]]:
    """Every app's entry, in one region or in all."""
    every = (
        select(
            _apps.app_id,
            _apps.region,
            _apps.access,
            _apps.operator_paths,
            _apps.cors_preflight,
            _apps.state,
            _apps.host,
            _apps.port,
        )
        .where(_apps.state != AppState.DELETING)
        .order_by(_apps.app_id)
        .limit(_BATCH)
    )
    if region is not None:
        every = every.where(_apps.region == region)
    batch = every
    while rows := (await session.execute(batch)).all():
        labels = await _labels_between(session, rows[0].app_id, rows[-1].app_id)
        yield [_app(row, labels.get(row[0], {})) for row in rows]
        batch = every.where(_apps.app_id > rows[-1].app_id)


async def stored_tokens(
    session: AsyncSession, region: RegionName | None, *, mac_key_id: str
) -> AsyncIterator[Sequence[SecretRow]]:
    """Every token with its secrets: those of a region and those of every region, or all."""
    every = select(
        _tokens.token_id,
        type_coerce(_tokens.role, String).label("role"),
        _tokens.region,
        _tokens.selector.label("label_selector"),
        _tokens.expire_time.label("token_expire_time"),
    )
    every = every.order_by(_tokens.token_id).limit(_BATCH)
    if region is not None:
        every = every.where(or_(_tokens.region == region, _tokens.region.is_(None)))
    after = TokenId("")
    while rows := (await session.execute(_with_secrets(every, after, mac_key_id))).all():
        # A row is a named tuple in all but its class.
        yield cast(Sequence[SecretRow], rows)
        after = rows[-1].token_id


async def stored_ended_sessions(session: AsyncSession) -> AsyncIterator[list[EndedSession]]:
    """The sessions that were ended before their time, for as long as they are kept."""
    every = (
        select(_sessions.session_id, _sessions.expire_time)
        .where(_sessions.end_time.is_not(None), _sessions.app_id.is_not(None))
        .order_by(_sessions.session_id)
        .limit(_BATCH)
    )
    batch = every
    while rows := (await session.execute(batch)).all():
        yield [
            EndedSession(session_id=session_id, expire_time=expire_time.timestamp())
            for session_id, expire_time in rows
        ]
        batch = every.where(_sessions.session_id > rows[-1].session_id)


async def _labels_between(session: AsyncSession, first: AppId, last: AppId) -> dict[AppId, dict[str, str]]:
    """The labels of all apps from one to another, those of other regions included: one walk along the key."""
    statement = select(_labels.app_id, _labels.key, _labels.value)
    statement = statement.where(_labels.app_id.between(first, last))
    labels: dict[AppId, dict[str, str]] = {}
    for app_id, key, value in (await session.execute(statement)).all():
        labels.setdefault(app_id, {})[key] = value
    return labels


def _app(row: _Row, labels: dict[str, str]) -> PolicyApp:
    app_id, region, access, operator_paths, cors_preflight, state, host, port = row
    return PolicyApp(
        app_id=app_id,
        region=region,
        labels=labels,
        public=access is Access.PUBLIC,
        operator_paths=tuple(operator_paths),
        cors_preflight=cors_preflight,
        upstream=address(host, port) if state.serves else None,
    )


def _with_secrets(every: _Statement, after: TokenId, mac_key_id: str) -> _Statement:
    """The next batch of tokens, a row for each of their secrets, newest first, without its Argon2 hash."""
    token = every.where(_tokens.token_id > after).subquery()
    own = and_(_generations.token_id == token.c.token_id, _generations.mac_key_id == mac_key_id)
    return (
        select(
            token,
            _generations.number.label("generation"),
            _generations.mac,
            _generations.expire_time.label("secret_expire_time"),
        )
        .outerjoin(GenerationRow.__table__, own)
        .order_by(token.c.token_id, _generations.number.desc())
    )
