"""Use cases of apps."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from uuid import uuid4

from doorward_server.domain.apps import (
    Access,
    App,
    AppSpec,
    AppState,
    AppStatus,
    Readiness,
    Source,
)
from doorward_server.domain.ids import AppId, RegionName, Revision
from doorward_server.domain.labels import Labels, with_platform_labels
from doorward_server.domain.selectors import Selector
from doorward_server.services.app_differences import (
    check_spec,
    differences,
    labels_text,
    restarts,
    with_kept_values,
)
from doorward_server.services.calls import Call
from doorward_server.services.clock import Clock
from doorward_server.services.errors import AppNotFoundError, AppStateConflictError
from doorward_server.services.etags import check_etag
from doorward_server.services.lifecycle import Lifecycle
from doorward_server.services.liveness import until
from doorward_server.services.once import created_before, remember_create
from doorward_server.services.pages import Page, Pager, PageRequest
from doorward_server.services.ports import AppFilter, AuditEvent, Position, Storage, UnitOfWork
from doorward_server.services.publishing import (
    PolicyUpdate,
    Publisher,
    enforce,
    enforce_what_is_committed,
    spread,
)
from doorward_server.services.runtime import LogLine, Runtime
from doorward_server.services.signals import Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApp:
    """What a caller says of an app to create."""

    display_name: str
    region: RegionName
    labels: Labels
    spec: AppSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class AppChanges:
    """What a caller changes of an app. None: nothing."""

    display_name: str | None = None
    labels: Labels | None = None
    source: Source | None = None
    access: Access | None = None
    operator_paths: tuple[str, ...] | None = None
    readiness: Readiness | None = None
    cors_preflight: bool | None = None


class AppService:
    """Keeps the apps. A `Call` has established the caller's role; what is in scope is looked at here."""

    def __init__(
        self,
        *,
        storage: Storage,
        propagation: Publisher,
        lifecycle: Lifecycle,
        runtime: Runtime,
        signals: Signals,
        pager: Pager,
        clock: Clock,
        reserved_prefix: str,
    ) -> None:
        """*reserved_prefix*: what label keys of the platform begin with, such as `ovh/`."""
        self._storage = storage
        self._propagation = propagation
        self._lifecycle = lifecycle
        self._runtime = runtime
        self._signals = signals
        self._pager = pager
        self._clock = clock
        self._reserved_prefix = reserved_prefix

    async def create(self, call: Call, new: NewApp, *, request_id: str = "") -> App:
        """Create an app and start it.

        Raises `InvalidFieldsError`, `RuntimeDisabledError`, `RequestIdReusedError`.
        """
        self._runtime.check(new.spec.source)
        check_spec(new.spec)
        app, revision = await self._create(call, new, request_id)
        if revision is None:
            await self._lifecycle.told([app.app_id])
            return app
        self._lifecycle.wake(app.app_id)
        await spread(self._propagation, revision)
        return app

    async def _create(self, call: Call, new: NewApp, request_id: str) -> tuple[App, Revision | None]:
        """The app, and the revision that it came with; None when it is that of the same call, made before."""
        app_id = AppId(str(uuid4()))
        now = self._clock()
        app = App(
            app_id=app_id,
            display_name=new.display_name,
            region=new.region,
            labels=self._with_platform_labels(new.labels, app_id),
            spec=new.spec,
            status=AppStatus(state=AppState.QUEUED).entered(AppState.QUEUED, at=now),
            create_time=now,
            update_time=now,
        )
        async with self._storage.write() as work:
            if (resource := await created_before(work, call, request_id, new)) is not None:
                return await self._in_scope(work, call, AppId(resource)), None
            await work.apps.add(app)
            await remember_create(work, call, request_id, new, resource_id=app_id, clock=self._clock)
            revision = await work.policy.app_changed(app_id)
            await work.audit.add(
                self._event(
                    call,
                    app,
                    revision=revision,
                    details={
                        "display_name": app.display_name,
                        "region": app.region,
                        "labels": labels_text(app.labels),
                        "access": app.spec.access.name,
                    },
                )
            )
        return app, revision

    async def get(self, call: Call, app_id: AppId) -> App:
        """One app in the caller's scope; raises `AppNotFoundError`."""
        async with self._storage.read() as work:
            app = await self._in_scope(work, call, app_id)
        await self._lifecycle.told([app_id])
        return app

    async def list(
        self,
        call: Call,
        request: PageRequest,
        *,
        region: RegionName | None,
        states: frozenset[AppState],
        selector: Selector,
    ) -> Page[App]:
        """The apps in the caller's scope, newest first; raises `InvalidFieldsError`."""
        scope = call.caller
        filters = ("apps", region, sorted(state.name for state in states), str(selector))
        window = self._pager.window(request, *filters)
        if scope.region is not None and region not in (None, scope.region):
            return Page((), "")
        which = AppFilter(
            region=scope.region or region,
            states=states,
            selectors=tuple(each for each in (scope.selector, selector) if each is not None),
        )
        async with self._storage.read() as work:
            apps = await work.apps.page(which, after=window.after, limit=window.limit)
        await self._lifecycle.told(app.app_id for app in apps)
        return window.page(apps, lambda app: Position(app.create_time, app.app_id))

    async def update(
        self, call: Call, app_id: AppId, changes: AppChanges, *, etag: str = ""
    ) -> tuple[App, PolicyUpdate | None]:
        """Change an app. What narrows access is enforced on return; a new source restarts the app.

        Raises `AppNotFoundError`, `EtagMismatchError`, `InvalidFieldsError`, `RuntimeDisabledError`,
        `AppStateConflictError`.
        """
        async with self._storage.write() as work:
            app = await self._in_scope(work, call, app_id)
            check_etag(etag, app_id, app.version)
            _refuse_deleting(app)
            changed = self._changed(app, changes)
            unchanged, revision = changed == app, None
            if not unchanged:
                changed, revision = await self._save_changed(work, call, app, changed)
        if unchanged:
            await enforce_what_is_committed(self._storage, self._propagation)
            return app, None
        self._signals.notify(app_id)
        if restarts(app, changed):
            self._lifecycle.wake(app_id, restart=True)
        return changed, None if revision is None else await enforce(self._propagation, revision)

    async def start(self, call: Call, app_id: AppId, *, etag: str = "") -> tuple[App, PolicyUpdate | None]:
        """Start an app that is stopped or has failed; nothing happens to one that runs.

        Raises `AppNotFoundError`, `EtagMismatchError`, `RuntimeDisabledError`, `AppStateConflictError`.
        """
        async with self._storage.write() as work:
            app = await self._in_scope(work, call, app_id)
            check_etag(etag, app_id, app.version)
            _refuse_deleting(app)
            revision = None
            if not app.status.state.wanted:
                self._runtime.check(app.spec.source)
                app, revision = await self._step(work, call, app, AppState.QUEUED)
        if revision is None:
            await self._lifecycle.told([app_id])
            return app, None
        # What still stops must have ended before it is started again.
        self._lifecycle.wake(app_id, restart=True)
        return app, await spread(self._propagation, revision)

    async def stop(self, call: Call, app_id: AppId, *, etag: str = "") -> tuple[App, PolicyUpdate | None]:
        """Stop an app: on return, no replica lets a request through to it.

        Raises `AppNotFoundError`, `EtagMismatchError`, `AppStateConflictError`.
        """
        async with self._storage.write() as work:
            app = await self._in_scope(work, call, app_id)
            check_etag(etag, app_id, app.version)
            _refuse_deleting(app)
            revision = None
            if app.status.state not in (AppState.STOPPING, AppState.STOPPED):
                app, revision = await self._step(work, call, app, AppState.STOPPING)
        try:
            if revision is not None:
                return app, await enforce(self._propagation, revision)
            await enforce_what_is_committed(self._storage, self._propagation)
            return app, None
        finally:
            self._lifecycle.wake(app_id)

    async def delete(self, call: Call, app_id: AppId, *, etag: str = "") -> PolicyUpdate:
        """Delete an app: on return, no replica knows it. It is removed once it has stopped.

        Raises `AppNotFoundError`, `EtagMismatchError`.
        """
        try:
            return await self._delete(call, app_id, etag)
        except AppNotFoundError:
            # Who repeats a call that was cut short must be able to rely on that answer, too.
            await enforce_what_is_committed(self._storage, self._propagation)
            raise

    async def _delete(self, call: Call, app_id: AppId, etag: str) -> PolicyUpdate:
        async with self._storage.write() as work:
            app = await self._in_scope(work, call, app_id)
            check_etag(etag, app_id, app.version)
            if app.status.state is AppState.DELETING:
                revision = (await work.policy.head()).revision
            else:
                app, revision = await self._step(work, call, app, AppState.DELETING)
        try:
            return await enforce(self._propagation, revision)
        finally:
            self._lifecycle.wake(app_id)

    async def watch(self, call: Call, app_id: AppId) -> AsyncGenerator[App, None]:
        """The app as it is now, then each time its status changes, until it is gone or out of scope.

        Raises `AppNotFoundError` when it is not there to begin with.
        """
        with self._signals.subscribe(app_id) as changed:
            app = await self.get(call, app_id)
            yield app
            while True:
                await changed.wait()
                changed.clear()
                try:
                    after = await self.get(call, app_id)
                except AppNotFoundError:
                    return
                if after.status != app.status:
                    yield after
                app = after

    async def logs(
        self, call: Call, app_id: AppId, *, tail: int | None, follow: bool
    ) -> AsyncGenerator[LogLine, None]:
        """What the app has printed: the last *tail* lines, all that are kept when None.

        It ends when the app leaves the caller's scope.

        Raises `AppNotFoundError`.
        """
        await self.get(call, app_id)
        lines = self._runtime.logs(app_id, tail=tail, follow=follow)
        async with aclosing(until(self._out_of_scope(call, app_id), lines)) as seen:
            async for line in seen:
                yield line

    async def _out_of_scope(self, call: Call, app_id: AppId) -> None:
        """Return when the app is gone, or not in the caller's scope any more."""
        with self._signals.subscribe(app_id) as changed, suppress(AppNotFoundError):
            while True:
                await self.get(call, app_id)
                await changed.wait()
                changed.clear()

    async def _in_scope(self, work: UnitOfWork, call: Call, app_id: AppId) -> App:
        app = await work.apps.get(app_id)
        if app is None or not call.in_scope(app):
            raise AppNotFoundError(app_id)
        return app

    async def _save_changed(
        self, work: UnitOfWork, call: Call, app: App, changed: App
    ) -> tuple[App, Revision | None]:
        """Save what a caller changed of an app; the revision, if the policy changes with it."""
        if changed.spec.source != app.spec.source:
            # Only then: an app whose source is not to be had any more can still be relabelled.
            self._runtime.check(changed.spec.source)
        check_spec(changed.spec)
        changed = replace(changed, version=app.version + 1, update_time=self._clock())
        if restarts(app, changed):
            changed = changed.in_state(AppState.QUEUED, at=self._clock(), message="its spec was changed")
        await work.apps.save(changed)
        revision = None
        if changed.policy_entry() != app.policy_entry():
            revision = await work.policy.app_changed(app.app_id)
        await work.audit.add(self._event(call, changed, revision=revision, details=differences(app, changed)))
        return changed, revision

    async def _step(self, work: UnitOfWork, call: Call, app: App, state: AppState) -> tuple[App, Revision]:
        """Take an app to a state that a caller asked for."""
        after = app.in_state(state, at=self._clock())
        await work.apps.save(after)
        revision = await work.policy.app_changed(app.app_id)
        await work.audit.add(self._event(call, after, revision=revision, details={"state": state.name}))
        self._signals.notify(app.app_id)
        return after, revision

    def _changed(self, app: App, changes: AppChanges) -> App:
        spec = app.spec
        if changes.source is not None:
            spec = replace(spec, source=with_kept_values(changes.source, spec.source))
        if changes.access is not None:
            spec = replace(spec, access=changes.access)
        if changes.operator_paths is not None:
            spec = replace(spec, operator_paths=changes.operator_paths)
        if changes.readiness is not None:
            spec = replace(spec, readiness=changes.readiness)
        if changes.cors_preflight is not None:
            spec = replace(spec, cors_preflight=changes.cors_preflight)
        app = replace(app, spec=spec)
        if changes.display_name is not None:
            app = replace(app, display_name=changes.display_name)
        if changes.labels is not None:
            app = replace(app, labels=self._with_platform_labels(changes.labels, app.app_id))
        return app

    def _with_platform_labels(self, labels: Labels, app_id: AppId) -> Labels:
        return with_platform_labels(labels, reserved_prefix=self._reserved_prefix, app_id=app_id)

    def _event(
        self, call: Call, app: App, *, revision: Revision | None, details: Mapping[str, str]
    ) -> AuditEvent:
        return AuditEvent(
            time=self._clock(),
            actor=call.actor,
            action=call.action,
            resource_type="app",
            resource_id=app.app_id,
            request_id=call.request_id,
            revision=revision,
            details=details,
        )


def _refuse_deleting(app: App) -> None:
    if app.status.state is AppState.DELETING:
        raise AppStateConflictError(app.app_id, app.status.state, "it can only go")
