"""Argon2id of secrets: the durable record, made off the event loop and never more than one a core."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import BoundedSemaphore
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from doorward_server.domain.credentials import Secret
from doorward_server.services.errors import HashingQueueFullError

T = TypeVar("T")

_RETRY_AFTER = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2Cost:
    """What one hash costs (RFC 9106 §3.1). The defaults are OWASP's for Argon2id."""

    memory_kib: int = 19 * 1024
    time_cost: int = 2
    parallelism: int = 1


class SecretHasher:
    """Hashes and verifies secrets, with a bounded queue. Close it when done."""

    def __init__(self, cost: Argon2Cost, *, queue_length: int) -> None:
        """*queue_length*: how many may wait while each core hashes one."""
        self._argon2 = PasswordHasher(
            time_cost=cost.time_cost, memory_cost=cost.memory_kib, parallelism=cost.parallelism
        )
        workers = os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="argon2")
        # Released when the work ends, not when its caller goes away: a caller who hangs up frees no core.
        self._places = BoundedSemaphore(workers + queue_length)

    async def hash(self, secret: Secret) -> str:
        """The Argon2id of the whole secret in PHC string format; raises `HashingQueueFullError`."""
        return await self._run(lambda: self._argon2.hash(secret.encode()))

    async def verify(self, phc: str, secret: Secret) -> bool:
        """Whether *phc* is of this secret; raises `HashingQueueFullError`."""

        def matches() -> bool:
            try:
                return self._argon2.verify(phc, secret.encode())
            except (VerificationError, InvalidHashError):
                return False

        return await self._run(matches)

    def close(self) -> None:
        """Drop what waits, and let what runs end."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            raise HashingQueueFullError(_RETRY_AFTER)
        future = self._threads.submit(work)
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)
