"""All runtimes as one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal

from doorward_server.domain.apps import ExternalSource, Readiness, Source
from doorward_server.domain.ids import AppId
from doorward_server.services.runtime import LogLine, Runtime, RuntimeDisabledError

Kind = Literal["external", "process"]


class Runtimes:
    """Hands each app to the runtime for its kind of source."""

    def __init__(self, *, external: Runtime, process: Runtime | None) -> None:
        """*process*: None where this server is not set to run processes."""
        self._by_kind: dict[Kind, Runtime] = {"external": external}
        if process is not None:
            self._by_kind["process"] = process
        self._kinds: dict[AppId, Kind] = {}

    def check(self, source: Source) -> None:
        """Raise `RuntimeDisabledError`, or `InvalidFieldsError` for what this machine cannot run."""
        self._runtime(_kind(source)).check(source)

    async def start(self, app_id: AppId, source: Source, readiness: Readiness) -> None:
        """Have the app running; raises `RuntimeDisabledError`."""
        kind = _kind(source)
        runtime = self._runtime(kind)
        before = self._kinds.get(app_id, kind)
        if before != kind:
            await self._by_kind[before].stop(app_id)
        self._kinds[app_id] = kind
        await runtime.start(app_id, source, readiness)

    async def stop(self, app_id: AppId) -> None:
        """Return when the app has stopped; nothing is reported of it any more. An unknown id is fine."""
        await asyncio.gather(*(runtime.stop(app_id) for runtime in self._by_kind.values()))

    async def logs(self, app_id: AppId, *, tail: int | None, follow: bool) -> AsyncGenerator[LogLine, None]:
        """What the runtime of the app has kept. A process's log is there also when it was not started yet."""
        kind = self._kinds.get(app_id, "process")
        runtime = self._by_kind.get(kind, self._by_kind["external"])
        async with aclosing(runtime.logs(app_id, tail=tail, follow=follow)) as lines:
            async for line in lines:
                yield line

    async def forget(self, app_id: AppId) -> None:
        """Remove what is kept of an app that has stopped."""
        self._kinds.pop(app_id, None)
        await asyncio.gather(*(runtime.forget(app_id) for runtime in self._by_kind.values()))

    async def close(self) -> None:
        """Stop all apps."""
        await asyncio.gather(*(runtime.close() for runtime in self._by_kind.values()))

    def _runtime(self, kind: Kind) -> Runtime:
        try:
            return self._by_kind[kind]
        except KeyError:
            raise RuntimeDisabledError(kind) from None


def _kind(source: Source) -> Kind:
    return "external" if isinstance(source, ExternalSource) else "process"
