"""The suite finds a check that ignores revocations."""

from collections.abc import Iterator
from random import Random

import pytest

from tests.chaos.terms import Terms
from tests.chaos.world import World, running_world


@pytest.fixture
def deaf(terms: Terms) -> Iterator[World]:
    """A platform whose check forgets no secret."""
    with running_world(terms, hooks=["deaf_check"]) as world:
        yield world


async def test_a_check_that_ignores_revocations_is_found(deaf: World, rng: Random) -> None:
    """A load without any fault is enough: dead secrets are allowed, and each time that is a violation."""
    with pytest.raises(AssertionError, match=r"churned token was allowed.*had ended"):
        await _under_load(deaf, rng)


async def _under_load(world: World, rng: Random) -> None:
    async with world.under_load(rng) as run:
        await run.until_churned(calls=20, within=20)
        await run.for_a_while()
