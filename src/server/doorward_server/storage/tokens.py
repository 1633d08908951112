"""The tokens in the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from doorward_server.domain.ids import TokenId
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import Selector
from doorward_server.domain.tokens import Generation, Token
from doorward_server.services.ports import Position
from doorward_server.storage.models import GenerationRow, PolicyRow, TokenRow
from doorward_server.storage.paging import beyond, newest_first


class SqlTokens:
    """Implements `services.ports.TokenRepository`."""

    def __init__(self, session: AsyncSession, *, writes: bool) -> None:
        self._session = session
        self._writes = writes

    async def get(self, token_id: TokenId) -> Token | None:
        row = await self._row(token_id)
        return None if row is None else _token(row)

    async def add(self, token: Token) -> None:
        row = TokenRow(token_id=token.token_id, last_used_time=token.last_used_time, generation_rows={})
        _fill(row, token)
        self._session.add(row)
        await self._session.flush()

    async def save(self, token: Token) -> None:
        row = await self._row(token.token_id)
        if row is None:
            raise LookupError(f"token {token.token_id} is not stored")
        _fill(row, token)
        await self._session.flush()

    async def remove(self, token_id: TokenId) -> None:
        await self._session.execute(delete(TokenRow).where(TokenRow.token_id == token_id))

    async def page(self, *, after: Position | None, limit: int) -> Sequence[Token]:
        statement = (
            select(TokenRow)
            .options(selectinload(TokenRow.generation_rows))
            .order_by(*newest_first(TokenRow.create_time, TokenRow.token_id))
            .limit(limit)
        )
        if after is not None:
            statement = statement.where(beyond(after, TokenRow.create_time, TokenRow.token_id))
        return [_token(row) for row in (await self._session.scalars(statement)).all()]

    async def live_admins(self, now: datetime) -> int:
        if self._writes:
            # Two who each delete one of the last two ADMIN tokens must not both see the other's.
            await self._session.execute(select(PolicyRow.revision).with_for_update())
        live = or_(TokenRow.expire_time.is_(None), TokenRow.expire_time > now)
        ids = await self._session.scalars(select(TokenRow.token_id).where(TokenRow.role == Role.ADMIN, live))
        return len(ids.all())

    async def touch(self, used: Mapping[TokenId, datetime]) -> None:
        # In one order, so that two who touch the same tokens do not wait for each other.
        for token_id, time in sorted(used.items()):
            never_or_before = or_(TokenRow.last_used_time.is_(None), TokenRow.last_used_time < time)
            await self._session.execute(
                update(TokenRow)
                .where(TokenRow.token_id == token_id, never_or_before)
                .values(last_used_time=time)
                .execution_options(synchronize_session=False)
            )

    async def _row(self, token_id: TokenId) -> TokenRow | None:
        statement: Select[TokenRow] = select(TokenRow).where(TokenRow.token_id == token_id)
        if self._writes:
            # The secrets are read after the row was locked: nobody changes them in between.
            statement = statement.with_for_update()
        statement = statement.options(selectinload(TokenRow.generation_rows))
        rows = await self._session.scalars(statement.execution_options(populate_existing=True))
        return rows.one_or_none()


def _fill(row: TokenRow, token: Token) -> None:
    row.display_name = token.display_name
    row.role = token.role
    row.region = token.region
    row.selector = None if token.selector is None else str(token.selector)
    row.expire_time = token.expire_time
    row.create_time = token.create_time
    row.update_time = token.update_time
    row.version = token.version
    wanted = {each.number: each for each in token.generations}
    for number in row.generation_rows.keys() - wanted.keys():
        del row.generation_rows[number]
    for number, generation in wanted.items():
        stored = row.generation_rows.get(number)
        if stored is None:
            stored = row.generation_rows[number] = GenerationRow(number=number)
        stored.argon2_hash = generation.argon2_hash
        stored.mac = generation.mac
        stored.mac_key_id = generation.mac_key_id
        stored.expire_time = generation.expire_time


def _token(row: TokenRow) -> Token:
    newest_first_rows = sorted(row.generation_rows.values(), key=lambda each: each.number, reverse=True)
    return Token(
        token_id=row.token_id,
        display_name=row.display_name,
        role=row.role,
        region=row.region,
        selector=stored_selector(row.selector),
        generations=tuple(
            Generation(
                number=each.number,
                argon2_hash=each.argon2_hash,
                mac=each.mac,
                mac_key_id=each.mac_key_id,
                expire_time=each.expire_time,
            )
            for each in newest_first_rows
        ),
        expire_time=row.expire_time,
        create_time=row.create_time,
        update_time=row.update_time,
        last_used_time=row.last_used_time,
        version=row.version,
    )


def stored_selector(text: str | None) -> Selector | None:
    """The selector with this canonical text; None: every app."""
    return None if text is None else Selector(text)
