"""The suite finds a check that ignores revocations, and one that forgets what Envoy remembers."""

from collections.abc import Iterator
from random import Random

import pytest

from doorward_server.check.remembering import LONGEST
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


@pytest.fixture
def hasty(terms: Terms) -> Iterator[World]:
    """A platform whose Envoy repeats allows, and whose check acknowledges a change at once."""
    with running_world(terms, hooks=["hasty_check"], remembered=LONGEST) as world:
        yield world


async def test_a_check_that_does_not_wait_for_envoy_to_forget_is_found(hasty: World, rng: Random) -> None:
    """What Envoy repeats after the call has returned is a violation."""
    with pytest.raises(AssertionError, match=r"churned token was allowed.*had ended"):
        await _under_load(hasty, rng, calls=60)


async def _under_load(world: World, rng: Random, *, calls: int = 20) -> None:
    async with world.under_load(rng) as run:
        await run.until_churned(calls=calls, within=30)
        await run.for_a_while()
