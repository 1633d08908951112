"""Use cases that change something: what each needs first, what it does, and what it answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from doorward_server.domain.apps import App, AppSpec, ExternalSource, parse_address
from doorward_server.domain.labels import parse_labels
from doorward_server.domain.tokens import Token
from doorward_server.services.app_service import AppChanges, NewApp
from tests.integration.services.conftest import GRA, World

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class UseCase:
    """What is done, after what."""

    prepare: Callable[[World], Awaitable[Any]]
    act: Callable[[World, Any], Awaitable[Answer]]


async def _nothing(_: World) -> None:
    """Nothing is needed."""


async def _token(world: World) -> Token:
    return (await world.token())[0]


async def _app(world: World) -> App:
    return await world.app(labels={"group": "A"})


async def _create_token(world: World, _: None) -> Answer:
    token, _secret = await world.token()
    return {"token": token.token_id, "generation": 1}


async def _regenerate_token(world: World, token: Token) -> Answer:
    call = world.call("RegenerateToken")
    regenerated, _, _ = await world.tokens.regenerate(call, token.token_id, grace_period=timedelta())
    return {"token": token.token_id, "generation": regenerated.generation}


async def _delete_token(world: World, token: Token) -> Answer:
    await world.tokens.delete(world.call("DeleteToken"), token.token_id)
    return {"token": token.token_id, "generation": None}


async def _create_app(world: World, _: None) -> Answer:
    source = ExternalSource(address=parse_address("127.0.0.1:9"))
    new = NewApp(
        display_name="hello", region=GRA, labels=parse_labels({"group": "A"}), spec=AppSpec(source=source)
    )
    app = await world.apps.create(world.call("CreateApp"), new)
    return {"app": app.app_id, "group": "A", "state": "RUNNING"}


async def _label_app(world: World, app: App) -> Answer:
    changes = AppChanges(labels={"group": "Z"})
    await world.apps.update(world.call("UpdateApp"), app.app_id, changes)
    return {"app": app.app_id, "group": "Z", "state": "RUNNING"}


async def _stop_app(world: World, app: App) -> Answer:
    await world.apps.stop(world.call("StopApp"), app.app_id)
    return {"app": app.app_id, "group": "A", "state": "STOPPED"}


async def _delete_app(world: World, app: App) -> Answer:
    await world.apps.delete(world.call("DeleteApp"), app.app_id)
    return {"app": app.app_id, "group": None, "state": None}


USE_CASES = {
    "create_token": UseCase(_nothing, _create_token),
    "regenerate_token": UseCase(_token, _regenerate_token),
    "delete_token": UseCase(_token, _delete_token),
    "create_app": UseCase(_nothing, _create_app),
    "label_app": UseCase(_app, _label_app),
    "stop_app": UseCase(_app, _stop_app),
    "delete_app": UseCase(_app, _delete_app),
}
