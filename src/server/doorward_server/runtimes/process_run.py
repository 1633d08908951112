"""One process app, from its start to its stop, through as many processes as that takes."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from doorward_server.domain.apps import AppState, ProcessSource, Readiness
from doorward_server.domain.ids import AppId
from doorward_server.domain.policy import Address
from doorward_server.runtimes import leftovers
from doorward_server.runtimes.children.restarts import RestartPolicy, Restarts
from doorward_server.runtimes.children.warden import Warden
from doorward_server.runtimes.health import Health, NotReady, Ready, changes
from doorward_server.runtimes.launch import LaunchedApp, LaunchError
from doorward_server.runtimes.logs.book import LogBook
from doorward_server.runtimes.ports import LOOPBACK, Ports
from doorward_server.runtimes.probes import PROBE_TIMEOUT, probe
from doorward_server.runtimes.reporter import Reporter
from doorward_server.services.runtime import Observation, Sink

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessOptions:
    """How process apps are run. Times are in seconds."""

    startup_timeout: float = 60.0
    """How long an app may take to become ready after a start; then it has failed."""
    stop_grace: float = 5.0
    """How long it has between SIGTERM and SIGKILL."""
    probe_timeout: float = PROBE_TIMEOUT
    """How long it has to answer a probe."""
    port_rest: float = 120.0
    """How long a port that an app had goes to no other app, so that no replica still leads visitors of the
    first one there."""
    restarts: RestartPolicy = field(default_factory=RestartPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the apps of one runtime share."""

    ports: Ports
    warden: Warden
    sink: Sink
    options: ProcessOptions


class ProcessRun:
    """Keeps one app running until it is stopped or has failed."""

    def __init__(
        self,
        app_id: AppId,
        source: ProcessSource,
        readiness: Readiness,
        *,
        directory: Path,
        book: LogBook,
        machine: Machine,
    ) -> None:
        """Start. *directory*: the app's own, for its record and, below it, for its files."""
        self._app_id = app_id
        self._source = source
        self._readiness = readiness
        self._directory = directory
        self._book = book
        self._machine = machine
        self._options = machine.options
        self._reporter = Reporter(app_id, machine.sink)
        self._stopping = asyncio.Event()
        self._unready = "it was not probed yet"
        self._task = asyncio.create_task(self._guarded(), name=f"app {app_id}")

    @property
    def over(self) -> bool:
        """Whether the app has ended and is not started again."""
        return self._task.done()

    async def stop(self) -> None:
        """Return when the app has ended, with all that it started, and nothing is reported any more."""
        # First, so that no report overtakes whoever stops the app.
        await self._reporter.close()
        self._stopping.set()
        # Whoever gives up waiting must not cut short what ends the processes.
        await asyncio.shield(self._task)

    async def _guarded(self) -> None:
        try:
            await self._run()
        except Exception:  # noqa: BLE001 - a defect of ours must show on the app, not vanish with the task
            _log.exception("app %s: running it failed", self._app_id)
            self._report(AppState.ERROR, "the platform failed to run the app")
        finally:
            self._book.release()

    async def _run(self) -> None:
        self._report(AppState.INITIALIZING)
        await self._end_leftover()
        restarts = Restarts(self._options.restarts, asyncio.get_running_loop().time)
        while not self._stopping.is_set():
            delay = await self._attempt(restarts)
            if delay is None:
                return
            await self._stopped_within(delay)

    async def _attempt(self, restarts: Restarts) -> float | None:
        """Run one process to its end; the seconds until the next, or None when there is to be none."""
        try:
            port = await asyncio.to_thread(self._machine.ports.take)
        except OSError as error:
            fault = LaunchError(
                f"no port can be given to it: {error.strerror or error}", state=AppState.ERROR, passing=True
            )
            return self._not_launched(fault, restarts)
        try:
            async with self._launched(port) as launched:
                return await self._watch(launched, Address(host=LOOPBACK, port=port), restarts)
        except LaunchError as error:
            return self._not_launched(error, restarts)
        finally:
            self._machine.ports.release(port)

    @asynccontextmanager
    async def _launched(self, port: int) -> AsyncIterator[LaunchedApp]:
        launched = LaunchedApp(
            self._source,
            directory=self._directory,
            port=port,
            book=self._book,
            warden=self._machine.warden,
        )
        try:
            self._remember(launched.group.pid)
            self._book.note(f"started, to listen on port {port}")
            yield launched
        finally:
            await launched.end(self._options.stop_grace)
            leftovers.forget(self._record)

    async def _watch(self, launched: LaunchedApp, address: Address, restarts: Restarts) -> float | None:
        exited = asyncio.create_task(launched.group.exited())
        stopped = asyncio.create_task(self._stopping.wait())
        overdue = asyncio.create_task(self._follow_health(address))
        tasks: tuple[asyncio.Task[object], ...] = (exited, stopped, overdue)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if stopped.done():
                self._book.note("stopping")
                return None
            if exited.done():
                return self._crashed(str(exited.result()), restarts)
            # Raises what went wrong with the probes, a defect.
            overdue.result()
            self._give_up(
                AppState.FAILED, f"not ready within {self._options.startup_timeout:g} s: {self._unready}"
            )
            return None
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _follow_health(self, address: Address) -> None:
        """Report whether the app is ready; returns when it takes too long to become so the first time."""
        ready = False
        seen = changes(lambda: self._probe(address), self._readiness)
        try:
            async with asyncio.timeout(self._options.startup_timeout) as deadline:
                async for health in seen:
                    if isinstance(health, Ready):
                        ready = True
                        deadline.reschedule(None)
                        self._report(AppState.RUNNING, address=health.address)
                    elif ready:
                        self._report(AppState.INITIALIZING, f"not ready any more: {health.reason}")
                        self._book.note(f"not ready any more: {health.reason}")
        except TimeoutError:
            return
        finally:
            await seen.aclose()

    async def _probe(self, address: Address) -> Health:
        reason = await probe(address, path=self._readiness.path, patience=self._options.probe_timeout)
        if reason is None:
            return Ready(address)
        self._unready = reason
        return NotReady(reason)

    def _crashed(self, how: str, restarts: Restarts) -> float | None:
        delay = restarts.delay()
        if delay is None:
            crashes, window = self._options.restarts.crashes, self._options.restarts.window
            self._give_up(AppState.FAILED, f"{how}; {crashes} crashes within {window:g} s")
            return None
        return self._again(f"{how}; restarted after {delay:g} s", delay)

    def _not_launched(self, error: LaunchError, restarts: Restarts) -> float | None:
        if error.detail:
            self._book.note(f"{error}: {error.detail}")
        delay = restarts.delay() if error.passing else None
        if delay is None:
            self._give_up(error.state, str(error))
            return None
        return self._again(f"{error}; tried again after {delay:g} s", delay)

    def _again(self, message: str, delay: float) -> float:
        self._report(AppState.INITIALIZING, message)
        self._book.note(message)
        return delay

    def _give_up(self, state: AppState, message: str) -> None:
        self._report(state, message)
        self._book.note(f"given up: {message}")

    def _report(self, state: AppState, message: str = "", address: Address | None = None) -> None:
        self._reporter.report(Observation(state=state, message=message, address=address))

    async def _stopped_within(self, delay: float) -> None:
        try:
            async with asyncio.timeout(delay):
                await self._stopping.wait()
        except TimeoutError:
            return

    @property
    def _record(self) -> Path:
        return self._directory / "process.json"

    def _remember(self, pid: int) -> None:
        try:
            leftovers.remember(self._record, pid)
        except OSError as error:
            # The warden ends the app all the same.
            _log.warning("app %s: its process cannot be written down: %s", self._app_id, error)

    async def _end_leftover(self) -> None:
        ended = await leftovers.end_leftover(self._record, grace=self._options.stop_grace)
        if ended is not None:
            self._book.note("ended a process that was left behind when the server was killed")
