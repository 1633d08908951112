"""The database fails; the replicas decide by what they have."""

from collections.abc import Iterator
from random import Random

import pytest

from tests.chaos.faults.database import (
    full_disk,
    full_postgresql,
    locked_postgresql,
    locked_sqlite,
    postgresql_away,
    read_only_postgresql,
    read_only_sqlite,
)
from tests.chaos.faults.fault import Fault
from tests.chaos.operator import Operator
from tests.chaos.terms import Terms
from tests.chaos.world import World, running_world
from tests.support.postgresql import running_postgres


@pytest.fixture(scope="module")
def on_sqlite(terms: Terms) -> Iterator[World]:
    """A platform on SQLite, which can be told to refuse writes."""
    with running_world(terms, hooks=["read_only"]) as world:
        yield world


@pytest.fixture(scope="module")
def on_postgresql(terms: Terms) -> Iterator[World]:
    """A platform on a PostgreSQL of its own."""
    with running_postgres() as server:
        server.execute("CREATE DATABASE chaos")
        with running_world(terms, settings={"database_url": server.url("chaos")}) as world:
            yield world


@pytest.mark.parametrize("fault", [locked_sqlite, read_only_sqlite, full_disk])
async def test_sqlite(on_sqlite: World, rng: Random, fault: Fault) -> None:
    """Requests go on; calls that change something wait or fail, and change all or nothing."""
    await _strikes(on_sqlite, rng, fault)


@pytest.mark.parametrize("fault", [read_only_postgresql, full_postgresql, postgresql_away])
async def test_postgresql(on_postgresql: World, rng: Random, fault: Fault) -> None:
    """Requests go on; calls that change something wait or fail, and change all or nothing."""
    await _strikes(on_postgresql, rng, fault)


async def test_postgresql_is_locked(on_postgresql: World, rng: Random) -> None:
    """While not even reading is possible api answers no replica: after the lease they deny everything."""
    async with on_postgresql.under_load(rng) as run:
        await run.for_a_while()
        async with locked_postgresql(on_postgresql, rng):
            await run.for_a_while()
        await run.healthy_again(after="PostgreSQL was locked")


async def _strikes(world: World, rng: Random, fault: Fault) -> None:
    async with world.under_load(rng) as run:
        kept, _ = await run.operator.create_token("kept", labelSelector="group=A")
        await run.for_a_while()
        async with fault(world, rng):
            await run.for_a_while()
            if fault is not locked_sqlite:  # which is waited for, for longer than that
                await run.until_refused(within=20)
            refused = list(run.churn.unknown)
        await run.healthy_again(after=fault.__name__)
    assert run.costs == []
    # The documented answer, and no other one.
    assert all(": 503 " in each for each in refused), refused
    await _see_that_they_are_there(world, [kept, *run.churn.known])


async def _see_that_they_are_there(world: World, token_ids: list[str]) -> None:
    """Nothing is lost of what callers were told: the API, which asks the database, has these tokens."""
    operator = Operator(world.platform)
    try:
        for token_id in token_ids:
            await operator.call("GET", f"/v1/tokens/{token_id}")
    finally:
        operator.close()
