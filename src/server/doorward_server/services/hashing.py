"""Argon2id of secrets: the durable record, made off the event loop and never more than one a core."""

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from threading import BoundedSemaphore, Lock
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from doorward_server.domain.credentials import Secret
from doorward_server.services.distribution import Distribution
from doorward_server.services.errors import HashingQueueFullError

T = TypeVar("T")

_RETRY_AFTER = timedelta(seconds=1)
_BOUNDS: Final = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2Cost:
    """What one hash costs (RFC 9106 §3.1). The defaults are OWASP's for Argon2id."""

    memory_kib: int = 19 * 1024
    time_cost: int = 2
    parallelism: int = 1


@dataclass(slots=True)
class HashingLoad:
    """What the hashing of secrets comes to."""

    waiting: int = 0
    """How many wait for a core."""
    running: int = 0
    """How many are being hashed."""
    refused: int = 0
    """How many were refused, the queue being full."""
    durations: Distribution = field(default_factory=lambda: Distribution(_BOUNDS))
    """How long hashing took, without the wait."""


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
        self.load = HashingLoad()
        """At this moment, and since the start."""
        # Held while the load is changed, which every thread of the pool does.
        self._counting = Lock()

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
        load = self.load
        if not self._places.acquire(blocking=False):
            load.refused += 1
            raise HashingQueueFullError(_RETRY_AFTER)

        def measured() -> T:
            with self._counting:
                load.waiting -= 1
                load.running += 1
            began = time.monotonic()
            try:
                return work()
            finally:
                with self._counting:
                    load.running -= 1
                    load.durations.observe(time.monotonic() - began)

        def ended(future: "Future[T]") -> None:
            self._places.release()
            if future.cancelled():
                # While it waited: what runs is not cancelled.
                with self._counting:
                    load.waiting -= 1

        with self._counting:
            load.waiting += 1
        future = self._threads.submit(measured)
        future.add_done_callback(ended)
        return await asyncio.wrap_future(future)
