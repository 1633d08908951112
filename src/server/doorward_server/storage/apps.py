"""The apps in the database."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from doorward_server.domain.apps import App, AppSpec, AppState, AppStatus
from doorward_server.domain.ids import AppId
from doorward_server.domain.policy import Address
from doorward_server.services.ports import AppFilter, Position
from doorward_server.storage.documents import dump_history, dump_spec, load_history, load_spec
from doorward_server.storage.models import AppLabelRow, AppRow
from doorward_server.storage.paging import beyond, newest_first
from doorward_server.storage.selecting import decides, narrowing

_LARGEST_BATCH: Final = 1_000
"""How many apps are read at once at most, while a page is filled with those that match."""


class SqlApps:
    """Implements `services.ports.AppRepository`."""

    def __init__(self, session: AsyncSession, *, writes: bool) -> None:
        self._session = session
        self._writes = writes

    async def get(self, app_id: AppId) -> App | None:
        row = await self._row(app_id)
        return None if row is None else _app(row)

    async def add(self, app: App) -> None:
        row = AppRow(app_id=app.app_id, label_rows={})
        _fill(row, app)
        self._session.add(row)
        await self._session.flush()

    async def save(self, app: App) -> None:
        row = await self._row(app.app_id)
        if row is None:
            raise LookupError(f"app {app.app_id} is not stored")
        _fill(row, app)
        await self._session.flush()

    async def remove(self, app_id: AppId) -> None:
        await self._session.execute(delete(AppRow).where(AppRow.app_id == app_id))

    async def page(self, which: AppFilter, *, after: Position | None, limit: int) -> Sequence[App]:
        statement = self._filtered(which)
        batch = limit
        found: list[App] = []
        while len(found) < limit:
            here = statement if after is None else statement.where(_beyond(after))
            rows = (await self._session.scalars(here.limit(batch))).all()
            found.extend(
                app for app in map(_app, rows) if all(each.matches(app.labels) for each in which.selectors)
            )
            if len(rows) < batch or decides(which.selectors):
                break
            after = Position(rows[-1].create_time, rows[-1].app_id)
            # Few of these matched: take larger steps, up to a bound on memory.
            batch = min(2 * batch, max(limit, _LARGEST_BATCH))
        return found[:limit]

    async def in_states(self, states: Collection[AppState]) -> Sequence[App]:
        statement = select(AppRow).where(AppRow.state.in_(states)).order_by(AppRow.app_id)
        return [_app(row) for row in (await self._session.scalars(self._whole(statement))).all()]

    async def _row(self, app_id: AppId) -> AppRow | None:
        statement = self._whole(select(AppRow).where(AppRow.app_id == app_id))
        return (await self._session.scalars(statement)).one_or_none()

    def _whole(self, statement: Select[AppRow]) -> Select[AppRow]:
        """With labels, which are read after the row was locked: nobody changes them in between."""
        if self._writes:
            statement = statement.with_for_update()
        return statement.options(selectinload(AppRow.label_rows)).execution_options(populate_existing=True)

    def _filtered(self, which: AppFilter) -> Select[AppRow]:
        statement = (
            select(AppRow)
            .options(selectinload(AppRow.label_rows))
            .where(*narrowing(which.selectors))
            .order_by(*newest_first(AppRow.create_time, AppRow.app_id))
        )
        if which.region is not None:
            statement = statement.where(AppRow.region == which.region)
        if which.states:
            statement = statement.where(AppRow.state.in_(which.states))
        return statement


def _beyond(position: Position) -> ColumnElement[bool]:
    return beyond(position, AppRow.create_time, AppRow.app_id)


def _fill(row: AppRow, app: App) -> None:
    address = app.status.address
    row.display_name = app.display_name
    row.region = app.region
    row.access = app.spec.access
    row.operator_paths = list(app.spec.operator_paths)
    row.cors_preflight = app.spec.cors_preflight
    row.spec = dump_spec(app.spec.source, app.spec.readiness)
    row.state = app.status.state
    row.message = app.status.message
    row.host = None if address is None else address.host
    row.port = None if address is None else address.port
    row.history = dump_history(app.status.history)
    row.create_time = app.create_time
    row.update_time = app.update_time
    row.version = app.version
    _fill_labels(row, app)


def _fill_labels(row: AppRow, app: App) -> None:
    for key in row.label_rows.keys() - app.labels.keys():
        del row.label_rows[key]
    for key, value in app.labels.items():
        if (label := row.label_rows.get(key)) is None:
            row.label_rows[key] = AppLabelRow(key=key, value=value)
        else:
            label.value = value


def _app(row: AppRow) -> App:
    source, readiness = load_spec(row.spec)
    return App(
        app_id=row.app_id,
        display_name=row.display_name,
        region=row.region,
        labels={key: label.value for key, label in row.label_rows.items()},
        spec=AppSpec(
            source=source,
            access=row.access,
            operator_paths=tuple(row.operator_paths),
            readiness=readiness,
            cors_preflight=row.cors_preflight,
        ),
        status=AppStatus(
            state=row.state,
            message=row.message,
            address=address(row.host, row.port),
            history=load_history(row.history),
        ),
        create_time=row.create_time,
        update_time=row.update_time,
        version=row.version,
    )


def address(host: str | None, port: int | None) -> Address | None:
    """An address from its two columns, which are both set or both not."""
    return None if host is None or port is None else Address(host=host, port=port)
