"""Fakes of what the use cases stand on, storage aside."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from doorward_server.domain.apps import AppState, ExternalSource, ProcessSource, Readiness, Source
from doorward_server.domain.ids import AppId, Revision
from doorward_server.domain.policy import Address
from doorward_server.services.leases import ReplicaView
from doorward_server.services.propagation import Enforcement
from doorward_server.services.runtime import LogLine, LogStream, Observation, RuntimeDisabledError, Sink


class FakeClock:
    """A wall clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        # Never the same time twice, as on a real machine: lists are ordered by it.
        self.now += timedelta(microseconds=1)
        return self.now

    def advance(self, **by: float) -> None:
        """Move on by a `timedelta` of these."""
        self.now += timedelta(**by)


@dataclass
class FakePropagation:
    """Remembers what was announced and what was waited for; replicas apply everything at once."""

    announced: list[Revision] = field(default_factory=list)
    enforced: list[Revision] = field(default_factory=list)
    enforcement: Enforcement = Enforcement.EVERYWHERE
    hangs: bool = False
    """Whether some replica does not answer until `let_go` is set."""
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    lease: float = 30.0
    views: list[ReplicaView] = field(default_factory=list)
    """The replicas that there are."""

    @property
    def newest_revision(self) -> Revision:
        return max(self.announced, default=Revision(0))

    def replicas(self) -> list[ReplicaView]:
        return self.views

    def announce(self, revision: Revision) -> None:
        self.announced.append(revision)

    async def wait_until_enforced(self, revision: Revision) -> Enforcement:
        if self.hangs:
            await self.let_go.wait()
        self.enforced.append(revision)
        return self.enforcement


class FakeRuntime:
    """Runs nothing, reports everything as running at once."""

    def __init__(self, *, processes: bool = True) -> None:
        self.sink: Sink | None = None
        self.running: dict[AppId, Source] = {}
        self.stopped: list[AppId] = []
        self.forgotten: list[AppId] = []
        self.fails = False
        self.closed = False
        self._processes = processes

    def check(self, source: Source) -> None:
        if isinstance(source, ProcessSource) and not self._processes:
            raise RuntimeDisabledError("process")

    async def start(self, app_id: AppId, source: Source, _readiness: Readiness) -> None:
        if self.fails:
            raise OSError("no such device")
        if app_id in self.running:
            return
        self.running[app_id] = source
        address = source.address if isinstance(source, ExternalSource) else Address(host="127.0.0.1", port=1)
        await self.report(app_id, AppState.RUNNING, address=address)

    async def report(self, app_id: AppId, state: AppState, *, address: Address | None = None) -> None:
        """Tell the sink of something seen."""
        assert self.sink is not None
        await self.sink(app_id, Observation(state=state, message=f"is {state.name}", address=address))

    async def stop(self, app_id: AppId) -> None:
        self.running.pop(app_id, None)
        self.stopped.append(app_id)

    async def logs(self, _app_id: AppId, *, tail: int | None, follow: bool) -> AsyncGenerator[LogLine, None]:
        for number in range(3 if tail is None else min(tail, 3)):
            yield LogLine(datetime(2030, 1, 1, tzinfo=UTC), LogStream.STDOUT, f"line {number}")
        if follow:
            await asyncio.Event().wait()

    async def forget(self, app_id: AppId) -> None:
        self.forgotten.append(app_id)

    async def close(self) -> None:
        self.closed = True
