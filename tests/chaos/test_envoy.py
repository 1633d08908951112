"""Envoy is killed."""

from random import Random

from tests.chaos.faults.processes import killed_envoy
from tests.chaos.world import World


async def test_envoy_comes_back(one: World, rng: Random) -> None:
    """While it is away there is no answer, not even a wrong one; then all is as before."""
    async with one.under_load(rng) as run:
        await run.for_a_while()
        async with killed_envoy(one, rng):
            await run.for_a_while()
        await run.healthy_again(after="Envoy was killed")
    assert run.costs
