"""Faults that nobody can cause from outside: of the policy stream, of the clock, between two statements."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from tests.chaos.faults.clock import clock_off_by, jumping_clock
from tests.chaos.faults.fault import Fault
from tests.chaos.faults.processes import api_killed_at_a_statement
from tests.chaos.faults.stream import doubled_messages, late_messages, lost_messages
from tests.chaos.operator import Operator
from tests.chaos.terms import Terms
from tests.chaos.world import World, rigged_world


@pytest.fixture(scope="module")
def rigged(terms: Terms) -> Iterator[World]:
    """A platform with hooks in its processes and a proxy on its policy stream."""
    with rigged_world(terms, hooks=["shifted_clock", "kill_at"]) as world:
        yield world


@pytest.mark.parametrize("fault", [doubled_messages, lost_messages, late_messages])
async def test_the_stream(rigged: World, rng: Random, fault: Fault) -> None:
    """A replica never decides by a policy that lacks a change, or that has an old one again."""
    assert rigged.stream is not None
    before = rigged.stream.tampered
    async with rigged.under_load(rng) as run:
        await run.for_a_while()
        async with fault(rigged, rng):
            await run.for_a_while()
            await run.for_a_while()
        await run.healthy_again(after=fault.__name__)
    assert rigged.stream.tampered > before


async def test_the_clock_jumps(rigged: World, rng: Random) -> None:
    """Leases and promises do not go by the wall clock: no request fails, and none is allowed too long."""
    async with rigged.under_load(rng) as run:
        await run.for_a_while()
        async with jumping_clock(rigged, rng):
            await run.for_a_while()
            await run.until_churned(calls=5, within=20)
        await run.healthy_again(after="the clock jumped")
    assert run.costs == []


async def test_an_expiry_goes_by_the_wall_clock(rigged: World) -> None:
    """A token whose time is over by the clock that was set is refused, and works when it is set back."""
    operator = Operator(rigged.platform)
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    try:
        _, secret = await operator.create_token("expires", allApps=True, expireTime=soon)
    finally:
        operator.close()

    def status() -> int:
        return rigged.platform.visit(rigged.scene.group_a, token=secret).status

    assert status() == 200
    with clock_off_by(rigged, 86_400):
        assert status() == 401
    assert status() == 200


async def test_api_is_killed_between_two_statements(rigged: World, rng: Random) -> None:
    """Whatever it was at: what was answered holds, and what was not is done or not done."""
    async with rigged.under_load(rng) as run:
        await run.for_a_while()
        async with api_killed_at_a_statement(rigged, rng):
            await run.for_a_while()
        await run.healthy_again(after="api was killed at a statement")
