"""Api is killed, slow, or away; the replicas go on for as long as their lease."""

from collections.abc import Iterator
from random import Random

import pytest

from tests.chaos.faults.fault import Fault
from tests.chaos.faults.processes import api_away, crashing_api, halting_api, killed_api
from tests.chaos.terms import Terms
from tests.chaos.world import World, running_world


@pytest.fixture(scope="module")
def patient(terms: Terms) -> Iterator[World]:
    """A platform whose replicas decide for half a minute on their own, as they do by default."""
    defaults = {"policy_lease": "30", "policy_heartbeat": "5"}
    with running_world(terms, replicas=2, settings=defaults) as world:
        yield world


async def test_killing_api_costs_no_request(patient: World, rng: Random) -> None:
    """Requests go on as if nothing had happened; calls fail until api is back, by itself."""
    async with patient.under_load(rng) as run:
        await run.for_a_while()
        async with killed_api(patient, rng):
            await run.for_a_while()
        await run.healthy_again(after="api was killed")
    assert run.costs == []


async def test_an_api_that_halts_now_and_then_costs_no_request(patient: World, rng: Random) -> None:
    """Calls take as long as api stands still, and requests do not notice."""
    async with patient.under_load(rng) as run:
        async with halting_api(patient, rng):
            await run.for_a_while()
            await run.until_churned(calls=3, within=20)
        await run.healthy_again(after="api halted")
    assert run.costs == []


@pytest.mark.parametrize("fault", [api_away, crashing_api])
async def test_api_away_for_longer_than_the_lease(one: World, rng: Random, fault: Fault) -> None:
    """The replicas deny everything with 503 once their lease is over, and decide again when api is back."""
    async with one.under_load(rng) as run:
        await run.for_a_while()
        async with fault(one, rng):
            await run.for_a_while()
        await run.healthy_again(after=f"{fault.__name__}")
    assert run.costs
