"""Keeping callers from learning of an app's state before the replicas have.

Whoever is told that an app runs sends it a request. A replica that has not heard of it yet would answer 503.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from doorward_server.domain.ids import AppId


class Spreading:
    """The apps whose newest state is on its way to the replicas."""

    def __init__(self) -> None:
        self._ends: dict[AppId, set[asyncio.Event]] = {}

    @contextmanager
    def of(self, app_id: AppId) -> Iterator[None]:
        """Have those wait who ask for the app. Begun before the commit, for from then on it is read."""
        end = asyncio.Event()
        self._ends.setdefault(app_id, set()).add(end)
        try:
            yield
        finally:
            end.set()
            self._ends[app_id].discard(end)
            if not self._ends[app_id]:
                del self._ends[app_id]

    async def over(self, app_ids: Iterable[AppId]) -> None:
        """Return when what was read of these apps before has been spread."""
        for app_id in app_ids:
            for end in list(self._ends.get(app_id, ())):
                await end.wait()
