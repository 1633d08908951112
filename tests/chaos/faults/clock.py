"""Somebody sets the clock."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from random import Random

from tests.chaos.hooks.switches import switch
from tests.chaos.world import World

_JUMPS = (-86_400.0, -3_600.0, -5.0, 5.0, 3_600.0, 86_400.0)
"""In seconds."""


@contextmanager
def clock_off_by(world: World, seconds: float) -> Iterator[None]:
    """The wall clock of every process is off, during the block."""
    file = switch(world.platform.home, "clock")
    fresh = file.with_suffix(".new")
    fresh.write_text(str(seconds))
    fresh.replace(file)
    try:
        yield
    finally:
        file.unlink()


@asynccontextmanager
async def jumping_clock(world: World, rng: Random) -> AsyncIterator[None]:
    """The wall clock jumps to and fro, by seconds, hours and days."""

    async def jump() -> None:
        while True:
            with clock_off_by(world, rng.choice(_JUMPS)):
                await asyncio.sleep(rng.uniform(0.05, 0.3))

    jumping = asyncio.create_task(jump())
    try:
        yield
    finally:
        jumping.cancel()
        await asyncio.wait({jumping})
