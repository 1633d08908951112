"""When tokens were last used, as replicas tell it."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime

from doorward_server.domain.ids import TokenId
from doorward_server.services.clock import Clock
from doorward_server.services.ports import Storage, StorageUnavailableError

_log = logging.getLogger(__name__)


class TokenUsage:
    """Collects last uses and writes them together, one transaction at a time."""

    def __init__(self, *, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._uses: dict[TokenId, datetime] = {}
        self._writing: asyncio.Task[None] | None = None

    def add(self, uses: Mapping[TokenId, datetime]) -> None:
        """Write these soon. A time in the future, by a replica whose clock is wrong, becomes the present."""
        now = self._clock()
        for token_id, time in uses.items():
            seen = min(time, now)
            self._uses[token_id] = max(seen, self._uses.get(token_id, seen))
        if self._uses and self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def close(self) -> None:
        """Wait until everything is written."""
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        try:
            while self._uses:
                uses, self._uses = self._uses, {}
                try:
                    async with self._storage.write() as unit:
                        await unit.tokens.touch(uses)
                except StorageUnavailableError as error:
                    # Not kept for later: the next use of the token tells it again.
                    _log.warning("The last uses of %d tokens are lost: %s", len(uses), error)
        finally:
            self._writing = None
