"""Faults that are drawn by lot, one after another and two at a time."""

from contextlib import AsyncExitStack
from random import Random

import pytest

from tests.chaos.faults.database import full_disk, locked_sqlite
from tests.chaos.faults.fault import Fault
from tests.chaos.faults.processes import (
    api_away,
    crashing_api,
    halting_api,
    killed_api,
    killed_check,
    killed_envoy,
    stopped_check,
)
from tests.chaos.world import World

_FAULTS: tuple[Fault, ...] = (
    api_away,
    crashing_api,
    full_disk,
    halting_api,
    killed_api,
    killed_check,
    killed_envoy,
    locked_sqlite,
    stopped_check,
)


@pytest.fixture(params=["three", "remembering"])
def world(request: pytest.FixtureRequest) -> World:
    """Three replicas, and an Envoy that asks each time or repeats allows."""
    world: World = request.getfixturevalue(request.param)
    return world


async def test_whatever_comes(world: World, rng: Random) -> None:
    """No pair of faults opens what is closed, or keeps closed what is open once it is over."""
    async with world.under_load(rng) as run:
        for _ in range(world.terms.rounds):
            faults = rng.sample(_FAULTS, 2)
            async with AsyncExitStack() as stack:
                for fault in faults:
                    await stack.enter_async_context(fault(world, rng))
                await run.for_a_while()
            await run.healthy_again(after=" and ".join(fault.__name__ for fault in faults))
