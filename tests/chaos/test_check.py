"""A check replica is killed, or stops in its tracks."""

import time
from random import Random

from tests.chaos.faults.processes import check_away, killed_check
from tests.chaos.world import CHECK_SECONDS, LEASE, World


async def test_killing_one_of_three_costs_no_request(three: World, rng: Random) -> None:
    """Not one request that must pass fails, those in flight on the killed replica included."""
    async with three.under_load(rng) as run:
        await run.for_a_while()
        async with killed_check(three, rng):
            await run.for_a_while()
        await run.healthy_again(after="one of three replicas was killed")
    assert run.costs == []


async def test_one_of_three_that_stands_still_costs_no_request(three: World, rng: Random) -> None:
    """The others are asked instead. Only what it was just asked when it goes on, it denies by its lease."""
    async with three.under_load(rng) as run:
        await run.for_a_while()
        began = time.monotonic()
        async with check_away(three, rng):
            await run.for_a_while()
            ended = time.monotonic()
        await run.healthy_again(after="one of three replicas stood still")
    assert run.lasting_refusals(began, ended - CHECK_SECONDS) == []


async def test_killing_the_only_one_fails_closed(one: World, rng: Random) -> None:
    """Until it is back every request is answered 503, and then all is as before."""
    async with one.under_load(rng) as run:
        await run.for_a_while()
        async with killed_check(one, rng):
            await run.for_a_while()
        await run.healthy_again(after="the only replica was killed")
    assert run.costs


async def test_the_only_one_stands_still_for_longer_than_its_lease(one: World, rng: Random) -> None:
    """Its lease has run out when it goes on, so that what it was not told meanwhile does no harm."""
    async with one.under_load(rng) as run:
        await run.for_a_while()
        async with check_away(one, rng):
            # Calls that narrow access return at last, though it has heard of none.
            await run.until_churned(calls=2, within=5 * LEASE)
        await run.healthy_again(after="the only replica stood still")
    assert run.costs
