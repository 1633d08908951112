"""Telling the control plane what was seen of an app."""

import asyncio
import logging
from typing import Final

from doorward_server.domain.ids import AppId
from doorward_server.services.runtime import Observation, Sink

_log = logging.getLogger(__name__)

_RETRY_DELAY: Final = 1.0
"""Seconds before an observation is delivered again that the sink did not take."""


class Reporter:
    """Delivers what is seen of one app, in order. Whoever observes never waits for the sink.

    When the sink is slower than the app changes, what is newest replaces what still waits.
    """

    def __init__(self, app_id: AppId, sink: Sink) -> None:
        self._app_id = app_id
        self._sink = sink
        self._newest: Observation | None = None
        self._closed = False
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._deliver(), name=f"report on app {app_id}")

    def report(self, seen: Observation) -> None:
        """Have an observation delivered."""
        self._newest = seen
        self._changed.set()

    async def close(self) -> None:
        """Return when nothing is delivered any more, and nothing is under way."""
        self._closed = True
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _deliver(self) -> None:
        while not self._closed:
            await self._changed.wait()
            self._changed.clear()
            seen, self._newest = self._newest, None
            if seen is None:
                continue
            try:
                await self._sink(self._app_id, seen)
            except Exception:  # noqa: BLE001 - an observation must not be lost, whatever the sink raises
                _log.exception("app %s: %s was not taken; trying again", self._app_id, seen.state.name)
                await asyncio.sleep(_RETRY_DELAY)
                if not self._changed.is_set():
                    self.report(seen)
