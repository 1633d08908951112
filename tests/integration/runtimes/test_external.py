"""External apps: watched where they run."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from doorward_server.domain.apps import AppState, ExternalSource, Readiness
from doorward_server.domain.policy import Address
from doorward_server.runtimes import ExternalRuntime
from doorward_server.services.runtime import LogStream, Observation, RuntimeDisabledError
from tests.integration.runtimes.support import APP, DEADLINE, HTTP, SERVING, TCP, Recorder, eventually, log_of

NAME = "models.internal"


class Service:
    """A service that somebody runs: it can be taken away and brought back at the same port."""

    def __init__(self) -> None:
        self.status = 200
        self.requests = 0
        self.hosts: set[str] = set()
        self.port = 0
        self._servers: list[asyncio.Server] = []

    async def up(self, *hosts: str) -> None:
        """Listen on *hosts*."""
        for host in hosts or ("127.0.0.1",):
            server = await asyncio.start_server(self._answer, host, self.port)
            self.port = server.sockets[0].getsockname()[1]
            self._servers.append(server)

    async def down(self) -> None:
        """Listen no more."""
        while self._servers:
            server = self._servers.pop()
            server.close()
            await server.wait_closed()

    def at(self, host: str) -> ExternalSource:
        """The service as the source of an app."""
        return ExternalSource(address=Address(host=host, port=self.port))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests += 1
        head = (await reader.read(4096)).decode()
        self.hosts |= {line for line in head.split("\r\n") if line.startswith("host: ")}
        writer.write(f"HTTP/1.1 {self.status} x\r\ncontent-length: 0\r\n\r\n".encode())
        writer.close()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """A service that listens."""
    service = Service()
    await service.up()
    yield service
    await service.down()


@pytest.fixture
async def runtime(sink: Recorder) -> AsyncIterator[ExternalRuntime]:
    """Watches external apps."""
    runtime = ExternalRuntime(sink=sink)
    yield runtime
    await runtime.close()


async def test_ready_first(runtime: ExternalRuntime, sink: Recorder, service: Service) -> None:
    """A service that is ready is RUNNING, with no state before: a restart of ours interrupts nobody."""
    await runtime.start(APP, service.at("127.0.0.1"), HTTP)
    running = await sink.until(AppState.RUNNING)
    assert sink.seen[APP] == [running]
    assert running.address == Address(host="127.0.0.1", port=service.port)


async def test_down_and_up(runtime: ExternalRuntime, sink: Recorder, service: Service) -> None:
    """A service that goes away is INITIALIZING, which says why, until it is back."""
    await runtime.start(APP, service.at("127.0.0.1"), HTTP)
    await sink.until(AppState.RUNNING)
    await service.down()
    lost = await sink.until(AppState.INITIALIZING)
    assert lost == Observation(state=AppState.INITIALIZING, message="not ready: connection refused")
    await service.up()
    await sink.until(AppState.RUNNING, times=2)
    service.status = 503
    assert (await sink.until(AppState.INITIALIZING, times=2)).message == "not ready: GET is answered 503"


async def test_never_ready(runtime: ExternalRuntime, sink: Recorder, service: Service) -> None:
    """A service that is not ready is INITIALIZING, once, and never given up: it is not ours to judge."""
    service.status = 500
    await runtime.start(APP, service.at("127.0.0.1"), HTTP)
    await sink.until(AppState.INITIALIZING)
    seen = service.requests
    await eventually(lambda: service.requests > seen + 3)
    assert sink.states() == [AppState.INITIALIZING]


async def test_name(
    runtime: ExternalRuntime, sink: Recorder, service: Service, names: dict[str, list[str]]
) -> None:
    """The address that was checked and probed is reported for a name; the Host is the name."""
    names[NAME] = ["127.0.0.1"]
    await runtime.start(APP, service.at(NAME), HTTP)
    assert (await sink.until(AppState.RUNNING)).address == Address(host="127.0.0.1", port=service.port)
    assert service.hosts == {f"host: {NAME}:{service.port}"}


async def test_moved_name(
    runtime: ExternalRuntime, sink: Recorder, service: Service, names: dict[str, list[str]]
) -> None:
    """When a name moves to another address, so does the app; while it has both, the app stays."""
    await service.up("127.0.0.2")
    names[NAME] = ["127.0.0.1"]
    await runtime.start(APP, service.at(NAME), TCP)
    await sink.until(AppState.RUNNING)
    names[NAME] = ["127.0.0.2", "127.0.0.1"]
    seen = service.requests
    await eventually(lambda: service.requests > seen + 3)
    assert sink.states() == [AppState.RUNNING]
    names[NAME] = ["127.0.0.2"]
    moved = await sink.until(AppState.RUNNING, times=2)
    assert moved.address == Address(host="127.0.0.2", port=service.port)


async def test_one_of_several(
    runtime: ExternalRuntime, sink: Recorder, service: Service, names: dict[str, list[str]]
) -> None:
    """Of several addresses, one that answers is enough."""
    names[NAME] = ["127.0.0.9", "127.0.0.1"]
    await runtime.start(APP, service.at(NAME), TCP)
    assert (await sink.until(AppState.RUNNING)).address == Address(host="127.0.0.1", port=service.port)


async def test_unknown_name(
    runtime: ExternalRuntime, sink: Recorder, service: Service, names: dict[str, list[str]]
) -> None:
    """A name that does not resolve yet is waited for."""
    names[NAME] = []
    await runtime.start(APP, service.at(NAME), TCP)
    assert (await sink.until(AppState.INITIALIZING)).message == "not ready: its name does not resolve"
    names[NAME] = ["127.0.0.1"]
    await sink.until(AppState.RUNNING)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104 - nothing is bound to it
        "224.0.0.1",
        "255.255.255.255",
        "fe80::1",
        "::",
        "::ffff:169.254.169.254",
    ],
)
@pytest.mark.parametrize("beside", [[], ["127.0.0.1"]], ids=["alone", "beside a good one"])
async def test_forbidden(
    *,
    runtime: ExternalRuntime,
    sink: Recorder,
    service: Service,
    names: dict[str, list[str]],
    address: str,
    beside: list[str],
) -> None:
    """A name that has an address that no app may have has FAILED, and nothing connects to any of them."""
    names[NAME] = [*beside, address]
    await runtime.start(APP, service.at(NAME), HTTP)
    assert "must not be used" in (await sink.until(AppState.FAILED)).message
    assert sink.states() == [AppState.FAILED]
    assert service.requests == 0


async def test_rebinding(
    runtime: ExternalRuntime, sink: Recorder, service: Service, names: dict[str, list[str]]
) -> None:
    """A name that turns to a forbidden address while the app runs has FAILED before anybody is led there."""
    names[NAME] = ["127.0.0.1"]
    await runtime.start(APP, service.at(NAME), TCP)
    await sink.until(AppState.RUNNING)
    names[NAME] = ["169.254.169.254"]
    assert (await sink.until(AppState.FAILED)).address is None
    names[NAME] = ["127.0.0.1"]
    await runtime.start(APP, service.at(NAME), TCP)
    await sink.until(AppState.RUNNING, times=2)


async def test_stop(runtime: ExternalRuntime, sink: Recorder, service: Service) -> None:
    """A stopped app is not probed any more; started again, it is."""
    await runtime.start(APP, service.at("127.0.0.1"), TCP)
    await runtime.start(APP, service.at("127.0.0.1"), TCP)
    await sink.until(AppState.RUNNING)
    await runtime.stop(APP)
    await runtime.stop(APP)
    assert not runtime._runs
    await runtime.start(APP, service.at("127.0.0.1"), TCP)
    await sink.until(AppState.RUNNING, times=2)
    await runtime.forget(APP)


async def test_logs(runtime: ExternalRuntime) -> None:
    """The log of an external app is one note that says where not to look."""
    (line,) = await log_of(runtime)
    assert line.stream is LogStream.PLATFORM
    assert await log_of(runtime, tail=0) == []


async def test_foreign_source(runtime: ExternalRuntime) -> None:
    """A process is nothing to watch."""
    with pytest.raises(RuntimeDisabledError):
        runtime.check(SERVING)
    with pytest.raises(RuntimeDisabledError):
        await runtime.start(APP, SERVING, TCP)


async def test_hanging_probe(sink: Recorder) -> None:
    """A service that accepts and never answers is not ready, and can be stopped meanwhile."""
    release = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    address = Address(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    runtime = ExternalRuntime(sink=sink, probe_timeout=0.1)
    readiness = Readiness(path="/", period=timedelta(seconds=0.1), failure_threshold=1)
    await runtime.start(APP, ExternalSource(address=address), readiness)
    assert (await sink.until(AppState.INITIALIZING)).message == "not ready: no answer within 0.1 s"
    async with asyncio.timeout(DEADLINE):
        await runtime.close()
    release.set()
    server.close()
    await server.wait_closed()
