"""What the hashing of secrets comes to."""

import asyncio
import os
import threading
from collections.abc import Iterator

import pytest

from doorward_server.domain.credentials import mint_secret, mint_token_id
from doorward_server.services.errors import HashingQueueFullError
from doorward_server.services.hashing import Argon2Cost, SecretHasher
from tests.support.waiting import eventually

CORES = os.cpu_count() or 1
SECRET = mint_secret(mint_token_id())


class HeldUp:
    """An Argon2 that waits until it is let go on."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def hash(self, _secret: bytes) -> str:
        assert self.go_on.wait(30)
        return "$argon2id$"


@pytest.fixture
def argon2() -> HeldUp:
    """An Argon2 that does not go on yet."""
    return HeldUp()


@pytest.fixture
def hasher(argon2: HeldUp) -> Iterator[SecretHasher]:
    """A hasher with room for two that wait."""
    hasher = SecretHasher(Argon2Cost(memory_kib=8, time_cost=1), queue_length=2)
    hasher._argon2 = argon2  # type: ignore[assignment]
    yield hasher
    argon2.go_on.set()
    hasher.close()


async def test_the_load(hasher: SecretHasher, argon2: HeldUp) -> None:
    """One a core runs, the next ones wait, those beyond the queue are refused; in the end all is over."""
    load = hasher.load
    tasks = [asyncio.create_task(hasher.hash(SECRET)) for _ in range(CORES + 2)]

    async def full() -> bool:
        return (load.running, load.waiting) == (CORES, 2)

    await eventually(full, what="every core hashes and two secrets wait")
    with pytest.raises(HashingQueueFullError):
        await hasher.hash(SECRET)
    assert load.refused == 1
    argon2.go_on.set()
    await asyncio.gather(*tasks)
    assert (load.running, load.waiting, load.durations.count) == (0, 0, CORES + 2)


async def test_a_secret_whose_caller_has_gone_waits_no_more(hasher: SecretHasher, argon2: HeldUp) -> None:
    """A caller that hangs up leaves the queue, but what runs goes on running."""
    load = hasher.load
    tasks = [asyncio.create_task(hasher.hash(SECRET)) for _ in range(CORES + 2)]

    async def full() -> bool:
        return (load.running, load.waiting) == (CORES, 2)

    await eventually(full, what="every core hashes and two secrets wait")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    async def left() -> bool:
        return (load.running, load.waiting) == (CORES, 0)

    await eventually(left, what="those that waited have left")
    argon2.go_on.set()

    async def over() -> bool:
        return (load.running, load.durations.count) == (0, CORES)

    await eventually(over, what="those that ran have ended")
