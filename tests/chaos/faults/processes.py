"""A process of the platform is killed, or stops in its tracks."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from random import Random

import psutil

from tests.chaos.hooks.switches import switch
from tests.chaos.world import LEASE, World

_BACK_SECONDS = 20.0


async def running_child(world: World, name: str) -> psutil.Process:
    """A process of the platform, which may just be on its way back after another fault."""
    deadline = time.monotonic() + _BACK_SECONDS
    while True:
        with suppress(AssertionError, psutil.NoSuchProcess):
            return world.platform.child(name)
        assert time.monotonic() < deadline, f"{name} does not come back"
        await asyncio.sleep(0.02)


async def _kill(world: World, name: str) -> None:
    with suppress(psutil.NoSuchProcess):
        (await running_child(world, name)).kill()


@contextmanager
def _stopped(process: psutil.Process) -> Iterator[None]:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def killed_check(world: World, rng: Random) -> AsyncIterator[None]:
    """SIGKILL to one of the replicas."""
    await _kill(world, f"check-{rng.randrange(world.replicas)}")
    yield


@asynccontextmanager
async def stopped_check(world: World, rng: Random) -> AsyncIterator[None]:
    """One of the replicas stands still, and then goes on with what it knew."""
    with _stopped(await running_child(world, f"check-{rng.randrange(world.replicas)}")):
        yield


@asynccontextmanager
async def check_away(world: World, rng: Random) -> AsyncIterator[None]:
    """One of the replicas stands still for longer than its lease."""
    async with stopped_check(world, rng):
        await asyncio.sleep(LEASE * 1.25)
        yield


@asynccontextmanager
async def killed_api(world: World, _rng: Random) -> AsyncIterator[None]:
    """SIGKILL to api."""
    await _kill(world, "api")
    yield


@asynccontextmanager
async def api_away(world: World, _rng: Random) -> AsyncIterator[None]:
    """Api stands still for longer than the lease."""
    with _stopped(await running_child(world, "api")):
        await asyncio.sleep(LEASE * 1.25)
        yield


@asynccontextmanager
async def crashing_api(world: World, _rng: Random) -> AsyncIterator[None]:
    """Api is killed whenever it is back, for longer than the lease."""
    until = time.monotonic() + LEASE * 1.25
    while time.monotonic() < until:
        with suppress(AssertionError, psutil.NoSuchProcess):
            world.platform.child("api").kill()
        await asyncio.sleep(0.05)
    yield


@asynccontextmanager
async def halting_api(world: World, rng: Random) -> AsyncIterator[None]:
    """Api stands still for moments, again and again."""

    async def halt() -> None:
        while True:
            with _stopped(await running_child(world, "api")):
                await asyncio.sleep(rng.uniform(0.05, 0.4))
            await asyncio.sleep(rng.uniform(0.05, 0.2))

    halting = asyncio.create_task(halt())
    try:
        yield
    finally:
        halting.cancel()
        await asyncio.wait({halting})


@asynccontextmanager
async def killed_envoy(world: World, _rng: Random) -> AsyncIterator[None]:
    """SIGKILL to Envoy."""
    await _kill(world, "envoy")
    yield


@asynccontextmanager
async def api_killed_at_a_statement(world: World, rng: Random) -> AsyncIterator[None]:
    """Api kills itself before one of its next statements, or right after one of its next commits."""
    api = await running_child(world, "api")
    file = switch(world.platform.home, "kill-at")
    fresh = file.with_suffix(".new")
    fresh.write_text(str(rng.randint(1, 30)))
    fresh.replace(file)
    deadline = time.monotonic() + 20
    with suppress(psutil.NoSuchProcess):
        while api.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline, "api came to no statement"
            await asyncio.sleep(0.02)
    yield
