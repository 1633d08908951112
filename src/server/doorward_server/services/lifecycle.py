"""Brings what runs to what is wanted, and writes down what runtimes see.

Calls change an app's state in the database and wake the lifecycle; one task an app then does what the state
asks for. So a step that the server did not finish is finished after its next start.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import ExitStack

from doorward_server.domain.apps import App, AppState, ProcessSource
from doorward_server.domain.ids import AppId
from doorward_server.services.clock import Clock
from doorward_server.services.ports import Storage, StorageUnavailableError
from doorward_server.services.publishing import Publisher, spread
from doorward_server.services.runtime import Observation, Runtime
from doorward_server.services.signals import Signals
from doorward_server.services.spreading import Spreading

_log = logging.getLogger(__name__)

_RETRY_DELAY = 1.0
"""Seconds before a step is tried again that failed because of the database."""

_UNITS_AT_ONCE = 2
"""Units of work that the apps' own steps have at once: after a start all apps take theirs, and calls would
wait for a connection behind thousands of them."""


class Lifecycle:
    """Starts, stops and removes apps as their state in the database asks for."""

    def __init__(self, *, storage: Storage, propagation: Publisher, signals: Signals, clock: Clock) -> None:
        self._storage = storage
        self._propagation = propagation
        self._signals = signals
        self._clock = clock
        self._spreading = Spreading()
        self._runtime: Runtime | None = None
        self._few = asyncio.Semaphore(_UNITS_AT_ONCE)
        self._tasks: dict[AppId, asyncio.Task[None]] = {}
        self._woken: set[AppId] = set()
        self._fresh: set[AppId] = set()
        """Apps whose source is to be started anew."""

    async def start(self, runtime: Runtime) -> None:
        """Take up every app where it stands.

        Processes ended with the server that started them, so those apps are queued again. External apps
        went on without us and are probed again.
        """
        self._runtime = runtime
        async with self._storage.write() as work:
            apps = await work.apps.in_states([state for state in AppState if state not in _SETTLED])
            revision = None
            for app in apps:
                if app.status.state.wanted and isinstance(app.spec.source, ProcessSource):
                    queued = app.in_state(
                        AppState.QUEUED, at=self._clock(), message="the server was restarted"
                    )
                    await work.apps.save(queued)
                    revision = await work.policy.app_changed(app.app_id)
        if revision is not None:
            self._propagation.announce(revision)
        for app in apps:
            self.wake(app.app_id)

    def wake(self, app_id: AppId, *, restart: bool = False) -> None:
        """Have the app brought to its wanted state. *restart*: what runs of it is of a former spec."""
        self._woken.add(app_id)
        if restart:
            self._fresh.add(app_id)
        if app_id not in self._tasks:
            self._tasks[app_id] = asyncio.create_task(self._reconcile(app_id), name=f"lifecycle {app_id}")

    async def told(self, app_ids: Iterable[AppId]) -> None:
        """Return when the replicas know what was read of these apps before, or have had a moment to learn it.

        Called between reading an app and answering with it.
        """
        await self._spreading.over(app_ids)

    async def close(self) -> None:
        """Stop what runs. States stay as they are, so that the next start takes the apps up again."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            await runtime.close()

    async def observe(self, app_id: AppId, seen: Observation) -> None:
        """Write down what a runtime has seen of an app that is wanted. The sink of runtimes."""
        while self._runtime is not None:
            try:
                await self._write_down(app_id, seen)
            except StorageUnavailableError as error:
                _log.warning("app %s: %s; trying again", app_id, error)
                await asyncio.sleep(_RETRY_DELAY)
            else:
                return

    async def _write_down(self, app_id: AppId, seen: Observation) -> None:
        with ExitStack() as spreading:
            async with self._few, self._storage.write() as work:
                app = await work.apps.get(app_id)
                if app is None or not app.status.state.wanted or app_id in self._fresh:
                    return
                status = app.status
                if (status.state, status.address, status.message) == (seen.state, seen.address, seen.message):
                    return
                after = app.in_state(seen.state, at=self._clock(), message=seen.message, address=seen.address)
                await work.apps.save(after)
                revision = None
                if after.policy_entry() != app.policy_entry():
                    spreading.enter_context(self._spreading.of(app_id))
                    revision = await work.policy.app_changed(app_id)
            if revision is not None:
                await spread(self._propagation, revision)
        self._signals.notify(app_id)

    async def _reconcile(self, app_id: AppId) -> None:
        try:
            await self._reconcile_while_woken(app_id)
        finally:
            # Not in a callback of the task, which runs later: whoever woke the app in between would find a
            # task that looks at nothing any more.
            del self._tasks[app_id]

    async def _reconcile_while_woken(self, app_id: AppId) -> None:
        while app_id in self._woken:
            self._woken.discard(app_id)
            try:
                await self._step(app_id)
            except StorageUnavailableError as error:
                _log.warning("app %s: %s; trying again", app_id, error)
                self._woken.add(app_id)
                await asyncio.sleep(_RETRY_DELAY)
            except Exception:  # noqa: BLE001 - whatever a runtime does, the next app must not suffer
                _log.exception("app %s: its runtime failed", app_id)
                failed = Observation(state=AppState.ERROR, message="the platform failed to run the app")
                await self.observe(app_id, failed)

    async def _step(self, app_id: AppId) -> None:
        runtime = self._runtime
        if runtime is None:
            return
        if app_id in self._fresh:
            await runtime.stop(app_id)
            self._fresh.discard(app_id)
        # After the stop: what is started is what is wanted now, not what was wanted before it.
        async with self._few, self._storage.read() as work:
            app = await work.apps.get(app_id)
        if app is None:
            return
        state = app.status.state
        if state.wanted:
            await runtime.start(app_id, app.spec.source, app.spec.readiness)
        elif state is AppState.STOPPING:
            await runtime.stop(app_id)
            await self._stopped(app)
        elif state is AppState.DELETING:
            await runtime.stop(app_id)
            await runtime.forget(app_id)
            async with self._storage.write() as work:
                await work.apps.remove(app_id)
            self._signals.notify(app_id)

    async def _stopped(self, app: App) -> None:
        async with self._storage.write() as work:
            current = await work.apps.get(app.app_id)
            # Started or deleted while it was stopping: that call has woken us again.
            if current is None or current.status.state is not AppState.STOPPING:
                return
            await work.apps.save(current.in_state(AppState.STOPPED, at=self._clock()))
        self._signals.notify(app.app_id)


_SETTLED = frozenset({AppState.STOPPED, AppState.FAILED, AppState.ERROR})
"""States in which there is nothing to do."""
