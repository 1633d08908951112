"""The same faults while Envoy repeats allows: when a call returns, what it forbids is repeated no more."""

from collections.abc import Iterator
from random import Random

import pytest

from doorward_server.check.remembering import LONGEST
from tests.chaos.faults.fault import Fault
from tests.chaos.faults.processes import api_away, check_away, killed_api, killed_check
from tests.chaos.faults.stream import late_messages
from tests.chaos.terms import Terms
from tests.chaos.world import World, rigged_world


@pytest.fixture(scope="module")
def rigged(terms: Terms) -> Iterator[World]:
    """Three replicas whose policy stream goes through a proxy, and an Envoy that repeats allows."""
    with rigged_world(terms, replicas=3, remembered=LONGEST) as world:
        yield world


@pytest.mark.parametrize("fault", [killed_check, check_away, killed_api, api_away, late_messages])
async def test_nothing_is_repeated_too_long(rigged: World, rng: Random, fault: Fault) -> None:
    """A replica answers for what Envoy remembers of it, by what it acknowledges and by its lease."""
    async with rigged.under_load(rng) as run:
        await run.for_a_while()
        async with fault(rigged, rng):
            await run.for_a_while()
        await run.healthy_again(after=fault.__name__)
