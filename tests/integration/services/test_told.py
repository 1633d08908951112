"""What callers are told of an app, and when."""

import asyncio
from collections.abc import Awaitable
from uuid import uuid4

import pytest

from doorward_server.domain.apps import App, AppSpec, AppState, ExternalSource, parse_address
from doorward_server.domain.ids import AppId
from doorward_server.domain.selectors import parse_selector
from doorward_server.services import publishing
from doorward_server.services.app_service import NewApp
from doorward_server.services.pages import PageRequest
from tests.integration.services.conftest import GRA, World
from tests.support.waiting import eventually

ADDRESS = parse_address("127.0.0.1:9")
ELSEWHERE = parse_address("127.0.0.1:10")


async def moved(world: World, app_id: AppId) -> bool:
    """Whether it is written down that an app has moved."""
    async with world.storage.read() as work:
        app = await work.apps.get(app_id)
    return app is not None and app.status.address == ELSEWHERE


async def test_the_replicas_learn_first_that_an_app_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No call answers with a state of an app that the replicas are only being told of."""
    monkeypatch.setattr(publishing, "_SPREAD_TIME", 60.0)
    new = NewApp(
        display_name="hello", region=GRA, labels={}, spec=AppSpec(source=ExternalSource(address=ADDRESS))
    )
    request_id = str(uuid4())
    app_id = (await world.apps.create(world.call("CreateApp"), new, request_id=request_id)).app_id
    await world.in_state(app_id, AppState.RUNNING)
    watching = world.apps.watch(world.call("WatchApp"), app_id)
    await anext(watching)

    world.propagation.hangs = True
    reporting = asyncio.create_task(world.runtime.report(app_id, AppState.RUNNING, address=ELSEWHERE))
    await eventually(lambda: moved(world, app_id), what="the new address is written down")

    async def listed() -> App:
        (app,) = (
            await world.apps.list(
                world.call("ListApps"),
                PageRequest(),
                region=None,
                states=frozenset(),
                selector=parse_selector(""),
            )
        ).entries
        return app

    async def started() -> App:
        return (await world.apps.start(world.call("StartApp"), app_id))[0]

    asked: list[Awaitable[App]] = [
        world.apps.get(world.call("GetApp"), app_id),
        listed(),
        started(),
        world.apps.create(world.call("CreateApp"), new, request_id=request_id),
        anext(watching),
        anext(world.apps.watch(world.call("WatchApp"), app_id)),
    ]
    answers = [asyncio.ensure_future(each) for each in asked]
    done, _ = await asyncio.wait(answers, timeout=0.3)
    assert done == set()

    world.propagation.let_go.set()
    assert [app.status.address for app in await asyncio.gather(*answers)] == [ELSEWHERE] * len(answers)
    await reporting


async def test_a_replica_that_hangs_keeps_nobody_from_looking(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are waited for no longer than a moment."""
    monkeypatch.setattr(publishing, "_SPREAD_TIME", 0.05)
    app = await world.app()
    world.propagation.hangs = True
    await world.runtime.report(app.app_id, AppState.RUNNING, address=ELSEWHERE)
    seen = await world.apps.get(world.call("GetApp"), app.app_id)
    assert seen.status.address == ELSEWHERE
