"""A platform with many apps: their own steps leave the database to callers."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from doorward_server.domain.apps import App, AppState
from doorward_server.services import publishing
from doorward_server.services.lifecycle import Lifecycle
from doorward_server.services.ports import Storage, UnitOfWork
from tests.integration.services.conftest import World
from tests.integration.storage.samples import app
from tests.support.fakes import FakeRuntime


class CountedStorage:
    """Counts who has a unit of work or waits for one."""

    def __init__(self, storage: Storage) -> None:
        self.now = 0
        self.most = 0
        self._storage = storage

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]:
        return self._counted(self._storage.read())

    def write(self) -> AbstractAsyncContextManager[UnitOfWork]:
        return self._counted(self._storage.write())

    @asynccontextmanager
    async def _counted(self, unit: AbstractAsyncContextManager[UnitOfWork]) -> AsyncIterator[UnitOfWork]:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            async with unit as work:
                yield work
        finally:
            self.now -= 1


async def added(world: World, number: int) -> list[App]:
    """Apps that nobody has taken up yet."""
    apps = [app(display_name=f"app {each}") for each in range(number)]
    async with world.storage.write() as work:
        for each in apps:
            await work.apps.add(each)
    return apps


async def test_a_start_leaves_the_database_to_callers(world: World) -> None:
    """After a start every app is looked up and reported of, and two at most ask the database at once."""
    apps = await added(world, 60)
    storage, runtime = CountedStorage(world.storage), FakeRuntime()
    lifecycle = Lifecycle(
        storage=storage, propagation=world.propagation, signals=world.signals, clock=world.clock
    )
    runtime.sink = lifecycle.observe
    await lifecycle.start(runtime)
    for each in apps:
        await world.in_state(each.app_id, AppState.RUNNING)
    await lifecycle.close()
    assert storage.most == 2


async def test_a_replica_that_does_not_hear_holds_up_no_app(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While replicas are told of some apps, others are written down all the same."""
    monkeypatch.setattr(publishing, "_SPREAD_TIME", 60.0)
    world.propagation.hangs = True
    apps = await added(world, 5)
    for each in apps:
        world.lifecycle.wake(each.app_id)
    for each in apps:
        await world.in_state(each.app_id, AppState.RUNNING)
    world.propagation.let_go.set()
