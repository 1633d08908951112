"""Calls that meet each other, are cut short, or are repeated."""

import asyncio
from contextlib import suppress
from uuid import uuid4

import pytest
from sqlalchemy import event

from doorward_server.domain.apps import ExternalSource, ProcessSource, Readiness, Source, parse_address
from doorward_server.domain.ids import AppId
from doorward_server.domain.labels import parse_labels
from doorward_server.domain.roles import Role
from doorward_server.services.app_service import AppChanges
from doorward_server.services.errors import AppNotFoundError, TokenNotFoundError
from doorward_server.services.ports import StorageUnavailableError, UnitOfWork
from doorward_server.services.token_service import TokenChanges
from tests.integration.services.conftest import World
from tests.support.fakes import FakeRuntime
from tests.support.waiting import eventually


def at(port: int) -> ExternalSource:
    """A source at a port."""
    return ExternalSource(address=parse_address(f"127.0.0.1:{port}"))


class SlowToStop(FakeRuntime):
    """Stops an app when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.stopping = asyncio.Event()
        self.let = asyncio.Event()

    async def stop(self, app_id: AppId) -> None:
        self.stopping.set()
        await self.let.wait()
        await super().stop(app_id)


class WokenAtTheEnd(FakeRuntime):
    """Has the app woken in the very moment in which its task has ended."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.starts = 0
        self._world = world

    async def start(self, app_id: AppId, source: Source, readiness: Readiness) -> None:
        await super().start(app_id, source, readiness)
        self.starts += 1
        if self.starts == 1:
            asyncio.get_running_loop().call_soon(self._world.lifecycle.wake, app_id)


async def use(world: World, runtime: FakeRuntime) -> None:
    """Have the lifecycle run apps on *runtime*."""
    runtime.sink = world.lifecycle.observe
    world.runtime = runtime
    await world.lifecycle.start(runtime)


async def test_the_last_of_two_changes_is_what_runs(world: World) -> None:
    """A source that is changed while the former one still stops is the one that is started."""
    runtime = SlowToStop()
    await use(world, runtime)
    app = await world.app()
    call = world.call("UpdateApp")
    await world.apps.update(call, app.app_id, AppChanges(source=at(1)))
    await runtime.stopping.wait()
    await world.apps.update(call, app.app_id, AppChanges(source=at(2)))
    runtime.let.set()

    async def at_rest() -> bool:
        return not world.lifecycle._tasks

    await eventually(at_rest, what="the lifecycle is at rest")
    assert runtime.running[app.app_id] == at(2)
    seen = await world.apps.get(world.call("GetApp"), app.app_id)
    assert seen.status.address == parse_address("127.0.0.1:2")


async def test_whoever_wakes_an_app_is_heard(world: World) -> None:
    """An app that is woken as its task ends is looked at again."""
    runtime = WokenAtTheEnd(world)
    await use(world, runtime)
    await world.app()

    async def looked_again() -> bool:
        return runtime.starts == 2

    await eventually(looked_again, what="the app is looked at again", within=5)


async def test_a_repeated_stop_waits_as_the_first_one(world: World) -> None:
    """Whoever stops an app that is being stopped learns of it no earlier than it is enforced."""
    app = await world.app()
    call = world.call("StopApp")
    _, update = await world.apps.stop(call, app.app_id)
    assert update is not None
    world.propagation.enforced.clear()
    assert (await world.apps.stop(call, app.app_id))[1] is None
    assert max(world.propagation.enforced) >= update.revision


async def test_a_repeated_change_of_an_app_waits_as_the_first_one(world: World) -> None:
    """Labels that an app has already are answered when no replica decides by others."""
    app = await world.app(labels={"group": "A"})
    changes, call = AppChanges(labels=parse_labels({"group": "B"})), world.call("UpdateApp")
    _, update = await world.apps.update(call, app.app_id, changes)
    assert update is not None
    world.propagation.enforced.clear()
    assert (await world.apps.update(call, app.app_id, changes))[1] is None
    assert max(world.propagation.enforced) >= update.revision


async def test_a_repeated_change_of_a_token_waits_as_the_first_one(world: World) -> None:
    """An expiry that a token has already is answered when no replica decides by another."""
    token, _ = await world.token(selector="group=A")
    end = world.clock.now.replace(year=2031)
    changes, call = TokenChanges(expire_time=end, set_expire_time=True), world.call("UpdateToken")
    _, update = await world.tokens.update(call, token.token_id, changes)
    assert update is not None
    world.propagation.enforced.clear()
    assert (await world.tokens.update(call, token.token_id, changes))[1] is None
    assert max(world.propagation.enforced) >= update.revision


async def test_a_call_that_is_cancelled_in_its_commit_is_announced(world: World) -> None:
    """A token is not deleted without the replicas hearing of it, however soon its caller hangs up."""
    token, _ = await world.token(selector="group=A")
    world.propagation.announced.clear()
    deleting = asyncio.create_task(world.tokens.delete(world.call("DeleteToken"), token.token_id))
    engine = world.storage._engines.writer.sync_engine

    def hang_up(_connection: object) -> None:
        deleting.cancel()

    event.listen(engine, "commit", hang_up)
    try:
        with suppress(asyncio.CancelledError):
            await deleting
    finally:
        event.remove(engine, "commit", hang_up)
    async with world.storage.read() as work:
        gone = await work.tokens.get(token.token_id) is None
        head = await work.policy.head()
    assert gone
    assert world.propagation.announced == [head.revision]


async def test_an_app_that_cannot_run_any_more_can_be_relabelled(world: World) -> None:
    """What narrows access works although the server does not run that kind of app any more."""
    app = await world.app(labels={"group": "A"})
    await world.apps.update(
        world.call("UpdateApp"), app.app_id, AppChanges(source=ProcessSource(command=("true",), env={}))
    )
    world.runtime._processes = False
    changed, _ = await world.apps.update(
        world.call("UpdateApp"), app.app_id, AppChanges(labels=parse_labels({"group": "B"}))
    )
    assert changed.labels["group"] == "B"


async def test_a_log_ends_when_its_app_leaves_the_scope(world: World) -> None:
    """Who follows a log sees no more of it once the app is not theirs."""
    app = await world.app(labels={"group": "A"})
    operator, _ = await world.token(role=Role.OPERATOR, selector="group=A")
    seen: list[str] = []

    async def read() -> None:
        lines = world.apps.logs(world.call("ReadAppLogs", operator), app.app_id, tail=None, follow=True)
        async for line in lines:
            seen.append(line.text)  # noqa: PERF401 - one at a time, for the test to see them come

    reading = asyncio.create_task(read())

    async def all_seen() -> bool:
        return len(seen) == 3

    await eventually(all_seen, what="the log was read")
    await world.apps.update(
        world.call("UpdateApp"), app.app_id, AppChanges(labels=parse_labels({"group": "B"}))
    )
    async with asyncio.timeout(5):
        await reading


class FullDisk:
    """No transaction that writes."""

    async def __aenter__(self) -> UnitOfWork:
        raise StorageUnavailableError("the disk is full")

    async def __aexit__(self, *_: object) -> None:
        raise AssertionError("was never entered")


async def test_a_full_disk_keeps_nobody_from_looking(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that cannot be written still tells who calls."""
    token, secret = await world.token(selector="group=A")
    monkeypatch.setattr(world.storage, "write", FullDisk)
    found = await world.authenticator.authenticate([f"Bearer {secret.reveal()}".encode()], [])
    assert found.token.token_id == token.token_id


async def test_what_is_gone_is_gone_everywhere(world: World) -> None:
    """A delete that finds nothing says so when no replica knows it either: an earlier call was cut short."""
    token, _ = await world.token(selector="group=A")
    update = await world.tokens.delete(world.call("DeleteToken"), token.token_id)
    world.propagation.enforced.clear()
    with pytest.raises(TokenNotFoundError):
        await world.tokens.delete(world.call("DeleteToken"), token.token_id)
    with pytest.raises(AppNotFoundError):
        await world.apps.delete(world.call("DeleteApp"), AppId(str(uuid4())))
    assert world.propagation.enforced == [update.revision, update.revision]
