"""Apps that are processes on this machine."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from doorward_server.domain.apps import ProcessSource, Readiness, Source
from doorward_server.domain.errors import Violations
from doorward_server.domain.ids import AppId
from doorward_server.runtimes import leftovers
from doorward_server.runtimes.children.warden import Warden
from doorward_server.runtimes.folders import remove_folder
from doorward_server.runtimes.launch import folder_fault
from doorward_server.runtimes.logs.book import LogBook, LogLimits
from doorward_server.runtimes.ports import Ports
from doorward_server.runtimes.process_run import Machine, ProcessOptions, ProcessRun
from doorward_server.services.clock import Clock, utc_now
from doorward_server.services.runtime import LogLine, RuntimeDisabledError, Sink


class ProcessRuntime:
    """Starts, watches, restarts and stops apps that are processes on this machine.

    An app listens on a port of 127.0.0.1 that it is told as `PORT` and as `{port}` in its arguments. It gets
    a process group of its own and next to nothing of this server's environment, but it runs as the same
    user: apps are kept apart from each other and from the server by nothing else. No app outlives the
    server, however that ends. What an app starts in a session of its own (a daemon) is not followed.
    """

    def __init__(
        self,
        *,
        home: Path,
        sink: Sink,
        options: ProcessOptions | None = None,
        log_limits: LogLimits | None = None,
        clock: Clock = utc_now,
    ) -> None:
        """*home*: the server's folder; an app has `apps/<app_id>` in it. *clock* dates the lines of logs."""
        options = options or ProcessOptions()
        self._apps = home.absolute() / "apps"
        self._log_limits = log_limits or LogLimits()
        self._clock = clock
        self._machine = Machine(
            ports=Ports(self._apps / "ports.json", rest=options.port_rest),
            warden=Warden(grace=options.stop_grace),
            sink=sink,
            options=options,
        )
        self._runs: dict[AppId, ProcessRun] = {}
        self._books: dict[AppId, LogBook] = {}
        self._closed = False

    def check(self, source: Source) -> None:
        """Raise `InvalidFieldsError` for a folder that is not there."""
        if not isinstance(source, ProcessSource):
            raise RuntimeDisabledError("external")
        found = Violations()
        if source.working_dir is not None and (fault := folder_fault(source.working_dir)) is not None:
            found.add("app.spec.process.working_dir", fault)
        found.raise_if_any()

    async def start(self, app_id: AppId, source: Source, readiness: Readiness) -> None:
        """Have the app running; raises `RuntimeDisabledError` for a source that is no process."""
        if self._closed:
            raise RuntimeError("the runtime is closed")
        if not isinstance(source, ProcessSource):
            raise RuntimeDisabledError("external")
        before = self._runs.get(app_id)
        if before is not None:
            if not before.over:
                return
            await before.stop()
        self._runs[app_id] = ProcessRun(
            app_id,
            source,
            readiness,
            directory=self._directory(app_id),
            book=self._book(app_id),
            machine=self._machine,
        )

    async def stop(self, app_id: AppId) -> None:
        """End the app: SIGTERM to its process group, SIGKILL to what is left after the grace."""
        run = self._runs.get(app_id)
        if run is None:
            # Not of this run of the server, but perhaps of one that was killed.
            record = self._directory(app_id) / "process.json"
            await leftovers.end_leftover(record, grace=self._machine.options.stop_grace)
            return
        await run.stop()
        if self._runs.get(app_id) is run:
            del self._runs[app_id]

    async def logs(self, app_id: AppId, *, tail: int | None, follow: bool) -> AsyncGenerator[LogLine, None]:
        """What the app has printed, and the platform's notes; also of an app that does not run."""
        async with aclosing(self._book(app_id).read(tail=tail, follow=follow)) as lines:
            async for line in lines:
                yield line

    async def forget(self, app_id: AppId) -> None:
        """Stop the app if it runs, and remove its folder."""
        await self.stop(app_id)
        book = self._books.pop(app_id, None)
        if book is not None:
            book.close()
        await asyncio.to_thread(remove_folder, self._directory(app_id))

    async def close(self) -> None:
        """Stop all apps at once."""
        self._closed = True
        await asyncio.gather(*(self.stop(app_id) for app_id in list(self._runs)))
        for book in self._books.values():
            book.close()
        self._books.clear()
        await asyncio.to_thread(self._machine.warden.close)

    def _directory(self, app_id: AppId) -> Path:
        return self._apps / app_id

    def _book(self, app_id: AppId) -> LogBook:
        book = self._books.get(app_id)
        if book is None:
            book = LogBook(self._directory(app_id), clock=self._clock, limits=self._log_limits)
            self._books[app_id] = book
        return book
