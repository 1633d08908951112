"""All runtimes as one: each app goes to the one for its source."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest

from doorward_server.domain.apps import ExternalSource, Readiness, Source
from doorward_server.domain.ids import AppId
from doorward_server.domain.policy import Address
from doorward_server.runtimes import Runtimes
from doorward_server.services.runtime import LogLine, LogStream, RuntimeDisabledError
from tests.integration.runtimes.support import APP, SERVING, TCP, log_of

ELSEWHERE = ExternalSource(address=Address(host="10.0.0.1", port=80))


class FakeRuntime:
    """Remembers what it is asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls: list[str] = []

    def check(self, source: Source) -> None:
        self.calls.append("check")

    async def start(self, app_id: AppId, source: Source, readiness: Readiness) -> None:
        self.calls.append("start")

    async def stop(self, app_id: AppId) -> None:
        self.calls.append("stop")

    async def logs(self, app_id: AppId, *, tail: int | None, follow: bool) -> AsyncGenerator[LogLine, None]:
        yield LogLine(datetime.now(UTC), LogStream.PLATFORM, f"{self.name} {tail} {follow}")

    async def forget(self, app_id: AppId) -> None:
        self.calls.append("forget")

    async def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def external() -> FakeRuntime:
    """Stands for the runtime of external apps."""
    return FakeRuntime("external")


@pytest.fixture
def process() -> FakeRuntime:
    """Stands for the runtime of processes."""
    return FakeRuntime("process")


async def test_by_source(external: FakeRuntime, process: FakeRuntime) -> None:
    """An app is checked and started by the runtime for its source alone."""
    runtimes = Runtimes(external=external, process=process)
    runtimes.check(ELSEWHERE)
    await runtimes.start(APP, ELSEWHERE, TCP)
    assert (external.calls, process.calls) == (["check", "start"], [])
    runtimes.check(SERVING)
    await runtimes.start(AppId("other"), SERVING, TCP)
    assert process.calls == ["check", "start"]


async def test_disabled(external: FakeRuntime) -> None:
    """Where processes are switched off, they are refused by name, and nothing else changes."""
    runtimes = Runtimes(external=external, process=None)
    with pytest.raises(RuntimeDisabledError) as refused:
        runtimes.check(SERVING)
    assert refused.value.source == "process"
    with pytest.raises(RuntimeDisabledError):
        await runtimes.start(APP, SERVING, TCP)
    runtimes.check(ELSEWHERE)
    await runtimes.stop(APP)
    assert [line.text for line in await log_of(runtimes)] == ["external None False"]


async def test_changed_source(external: FakeRuntime, process: FakeRuntime) -> None:
    """An app whose source has changed its kind is stopped by the one runtime before the other starts it."""
    runtimes = Runtimes(external=external, process=process)
    await runtimes.start(APP, SERVING, TCP)
    await runtimes.start(APP, ELSEWHERE, TCP)
    assert process.calls == ["start", "stop"]
    assert external.calls == ["start"]


async def test_logs(external: FakeRuntime, process: FakeRuntime) -> None:
    """Logs come from the runtime that runs the app; before its first start, from where a log may be."""
    runtimes = Runtimes(external=external, process=process)
    assert [line.text for line in await log_of(runtimes, tail=3)] == ["process 3 False"]
    await runtimes.start(APP, ELSEWHERE, TCP)
    assert [line.text for line in await log_of(runtimes, tail=3)] == ["external 3 False"]


async def test_end(external: FakeRuntime, process: FakeRuntime) -> None:
    """Stop, forget and close reach every runtime: after a restart nobody knows which one an app was with."""
    runtimes = Runtimes(external=external, process=process)
    await runtimes.stop(APP)
    await runtimes.forget(APP)
    await runtimes.close()
    assert external.calls == process.calls == ["stop", "forget", "close"]
