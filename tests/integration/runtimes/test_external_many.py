"""External apps that are too many to be probed all the time."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from doorward_server.domain.apps import AppState, ExternalSource, Readiness
from doorward_server.domain.ids import AppId
from doorward_server.domain.policy import Address
from doorward_server.runtimes import ExternalRuntime, external
from doorward_server.runtimes.turns import Turns
from tests.integration.runtimes.support import APP, DEADLINE, HTTP, OTHER, Recorder, eventually

SELDOM = Readiness(path="/", period=timedelta(seconds=60))


class Service:
    """Answers while its door is open; until then whoever asks waits."""

    def __init__(self) -> None:
        self.door = asyncio.Event()
        self.status = 200
        self.requests = 0
        self.open = 0
        """Connections at this moment."""
        self.most = 0
        self.source = ExternalSource(address=Address(host="127.0.0.1", port=1))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests += 1
        self.open += 1
        self.most = max(self.most, self.open)
        await self.door.wait()
        writer.write(f"HTTP/1.1 {self.status} x\r\ncontent-length: 0\r\n\r\n".encode())
        self.open -= 1
        writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[Service]:
    """A service that listens."""
    service = Service()
    server = await asyncio.start_server(service.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    service.source = ExternalSource(address=Address(host="127.0.0.1", port=port))
    yield service
    service.door.set()
    server.close()
    await server.wait_closed()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """A service that lets everybody wait for now."""
    async with serving() as service:
        yield service


@pytest.fixture
async def watching(sink: Recorder) -> AsyncIterator[Callable[[Turns], ExternalRuntime]]:
    """Makes a runtime that is patient with its apps."""
    made: list[ExternalRuntime] = []

    def make(turns: Turns) -> ExternalRuntime:
        made.append(ExternalRuntime(sink=sink, probe_timeout=10 * DEADLINE, turns=turns))
        return made[-1]

    yield make
    for runtime in made:
        await runtime.close()


def app_ids(number: int) -> list[AppId]:
    """So many apps."""
    return [AppId(str(uuid.UUID(int=each))) for each in range(1, number + 1)]


async def test_thousands_of_apps(
    watching: Callable[[Turns], ExternalRuntime], sink: Recorder, service: Service
) -> None:
    """Thousands of apps are all looked at, through a few connections at a time."""
    runtime = watching(Turns(at_once=40, per_second=5_000))
    apps = app_ids(3_000)
    for app_id in apps:
        await runtime.start(app_id, service.source, SELDOM)
    await eventually(lambda: service.open == 40)
    service.door.set()
    for app_id in apps:
        await sink.until(AppState.RUNNING, app_id=app_id)
    assert {tuple(sink.states(app_id)) for app_id in apps} == {(AppState.RUNNING,)}
    assert service.most == 40


async def test_stopped_while_it_waits(
    watching: Callable[[Turns], ExternalRuntime], sink: Recorder, service: Service
) -> None:
    """An app that is stopped before its turn is not probed any more."""
    runtime = watching(Turns(at_once=1, per_second=5_000))
    async with serving() as stopped, serving() as last:
        await runtime.start(APP, service.source, HTTP)
        await eventually(lambda: service.open == 1)
        await runtime.start(OTHER, stopped.source, HTTP)
        (third,) = app_ids(1)
        await runtime.start(third, last.source, HTTP)
        await runtime.stop(OTHER)
        service.door.set()
        last.door.set()
        await sink.until(AppState.RUNNING, app_id=third)
        assert stopped.requests == 0


async def test_stopped_while_it_is_probed(
    watching: Callable[[Turns], ExternalRuntime], sink: Recorder, service: Service
) -> None:
    """An app that hangs and is stopped makes room for the next one, and nothing is reported of it."""
    runtime = watching(Turns(at_once=1, per_second=5_000))
    async with serving() as other:
        other.door.set()
        await runtime.start(APP, service.source, HTTP)
        await eventually(lambda: service.open == 1)
        await runtime.start(OTHER, other.source, HTTP)
        await runtime.stop(APP)
        await sink.until(AppState.RUNNING, app_id=OTHER)
        assert sink.seen[APP] == []


async def test_one_that_was_just_started(
    watching: Callable[[Turns], ExternalRuntime], sink: Recorder, service: Service
) -> None:
    """An app that was just started does not wait for the many that run."""
    service.door.set()
    runtime = watching(Turns(at_once=1, per_second=50))
    many = app_ids(100)
    for app_id in many:
        await runtime.start(app_id, service.source, HTTP)
    for app_id in many:
        await sink.until(AppState.RUNNING, app_id=app_id)
    before = service.requests
    async with serving() as fresh:
        fresh.door.set()
        await runtime.start(APP, fresh.source, HTTP)
        await sink.until(AppState.RUNNING)
        assert service.requests - before < len(many) / 2


class HurryingTurns(Turns):
    """Remembers who was in a hurry."""

    def __init__(self) -> None:
        super().__init__(at_once=1, per_second=5_000)
        self.hurries: list[bool] = []

    @asynccontextmanager
    async def turn(self, *, hurry: bool) -> AsyncIterator[None]:
        self.hurries.append(hurry)
        async with super().turn(hurry=hurry):
            yield


async def test_ready_ends_the_hurry(
    watching: Callable[[Turns], ExternalRuntime], sink: Recorder, service: Service
) -> None:
    """Nobody waits for an app that was ready once."""
    service.door.set()
    turns = HurryingTurns()
    await watching(turns).start(APP, service.source, HTTP)
    await sink.until(AppState.RUNNING)
    service.status = 500
    await sink.until(AppState.INITIALIZING)
    assert turns.hurries[0]
    assert not any(turns.hurries[1:])


async def test_time_ends_the_hurry(
    watching: Callable[[Turns], ExternalRuntime], service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app that is not ready for long is one of many that are down."""
    monkeypatch.setattr(external, "_HURRY", 0.3)
    service.door.set()
    service.status = 500
    turns = HurryingTurns()
    await watching(turns).start(APP, service.source, HTTP)
    await eventually(lambda: not all(turns.hurries))
    seen = len(turns.hurries)
    await eventually(lambda: len(turns.hurries) > seen + 2)
    assert turns.hurries[0]
    assert not any(turns.hurries[seen:])


async def test_a_name_with_many_addresses(
    watching: Callable[[Turns], ExternalRuntime],
    sink: Recorder,
    service: Service,
    names: dict[str, list[str]],
) -> None:
    """Each address of a name takes a turn of its own: together they could hang for as long as they like."""
    names["models.internal"] = ["127.0.0.8", "127.0.0.9", "127.0.0.1"]
    service.door.set()
    turns = HurryingTurns()
    port = service.source.address.port
    source = ExternalSource(address=Address(host="models.internal", port=port))
    await watching(turns).start(APP, source, SELDOM)
    await sink.until(AppState.RUNNING)
    assert len(turns.hurries) == 3
