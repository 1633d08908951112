"""What process apps print: kept, bounded, followed."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from doorward_server.domain.apps import AppState
from doorward_server.runtimes import LogLimits, ProcessRuntime
from doorward_server.services.runtime import LogLine, LogStream
from tests.integration.runtimes.conftest import QUICK
from tests.integration.runtimes.support import (
    APP,
    DEADLINE,
    OTHER,
    SERVE,
    TCP,
    Recorder,
    first_line,
    log_of,
    program,
)

FLOOD = """
import os, time
line = b"x" * 99 + b"\\n"
began = time.monotonic()
for _ in range(400):
    os.write(1, line * 1000)
print("\\ndone", flush=True)
"""
"""Prints 40 MB as fast as it can."""


def writing(code: str) -> str:
    """A program's part that writes bytes to `out` and `err` without any buffer."""
    return (
        f"import os, time\nout = lambda data: os.write(1, data)\nerr = lambda data: os.write(2, data)\n{code}"
    )


@pytest.fixture
async def small(tmp_path: Path, sink: Recorder) -> AsyncIterator[ProcessRuntime]:
    """A runtime that keeps little."""
    limits = LogLimits(file_bytes=64 * 1024, rate=64 * 1024, burst=256 * 1024, follower_lines=100)
    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=QUICK, log_limits=limits)
    yield runtime
    await runtime.close()


async def printed(runtime: ProcessRuntime, stream: LogStream) -> list[str]:
    """What is kept of one stream."""
    return [line.text for line in await log_of(runtime) if line.stream is stream]


async def test_streams_and_times(runtime: ProcessRuntime, sink: Recorder) -> None:
    """A line is kept with the time and the stream where it was printed, the platform's notes among them."""
    await runtime.start(APP, program(writing("out(b'to out\\n'); err(b'to err\\n')"), SERVE, "serve()"), TCP)
    await sink.until(AppState.RUNNING)
    log = await log_of(runtime)
    texts = {line.text: line.stream for line in log}
    assert texts["to out"] is LogStream.STDOUT
    assert texts["to err"] is LogStream.STDERR
    assert log[0].stream is LogStream.PLATFORM
    assert log[0].text.startswith("started, to listen on port ")
    now = datetime.now(UTC)
    assert all(now - timedelta(seconds=DEADLINE) < line.time <= now for line in log)


async def test_hostile_bytes(runtime: ProcessRuntime, sink: Recorder) -> None:
    """Bytes that are not UTF-8 are replaced; NUL, escapes, odd line ends and empty lines do no harm."""
    await runtime.start(
        APP,
        program(writing(r"out(b'\xff\xfe ok\n\x1b[31mred\x00\n\n\r\ncr\r\none\x0btwo\xe2\x80\xa8three\n')")),
        TCP,
    )
    await sink.until(AppState.FAILED)
    assert (await printed(runtime, LogStream.STDOUT))[:6] == [
        "\ufffd\ufffd ok",
        "\x1b[31mred\x00",
        "",
        "",
        "cr",
        "one\x0btwo\u2028three",
    ]


async def test_forged_records(runtime: ProcessRuntime, sink: Recorder) -> None:
    """An app that prints what looks like a record of the log forges neither time nor stream."""
    forged = "2001-01-01T00:00:00+00:00 platform F given up"
    await runtime.start(APP, program(writing(f"out(b'{forged}\\n')")), TCP)
    await sink.until(AppState.FAILED)
    assert forged in await printed(runtime, LogStream.STDOUT)
    assert all(line.time.year > 2001 for line in await log_of(runtime))


async def test_long_lines(runtime: ProcessRuntime, sink: Recorder) -> None:
    """A line over 16 KiB is split there, never inside a character, and nothing of it is lost."""
    await runtime.start(APP, program(writing("out(b'a' + 'é'.encode() * 10_000 + b'\\nnext\\n')")), TCP)
    await sink.until(AppState.FAILED)
    first, second, after = (await printed(runtime, LogStream.STDOUT))[:3]
    assert len(first.encode()) in range(16 * 1024 - 3, 16 * 1024 + 1)
    assert first + second == "a" + "é" * 10_000
    assert after == "next"


async def test_unfinished_line(runtime: ProcessRuntime, sink: Recorder) -> None:
    """The last words of a crashed app are kept, also without the end of a line."""
    await runtime.start(APP, program(writing("err(b'Traceback: the end')")), TCP)
    await sink.until(AppState.FAILED)
    assert (await printed(runtime, LogStream.STDERR))[-1] == "Traceback: the end"


async def test_flood(small: ProcessRuntime, sink: Recorder, tmp_path: Path) -> None:
    """An app that floods its log is never held up, fills no disk, and the log says what was left out."""
    await small.start(APP, program(FLOOD, SERVE, "serve()"), TCP)
    async with asyncio.timeout(DEADLINE):
        await sink.until(AppState.RUNNING)
    files = sorted((tmp_path / "apps" / APP).glob("log*"))
    assert [path.name for path in files] == ["log", "log.1"]
    assert all(path.stat().st_size <= 64 * 1024 for path in files)
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    await small.stop(APP)
    notes = await printed(small, LogStream.PLATFORM)
    assert any(note.endswith("lines left out: the app prints faster than is kept") for note in notes)


async def test_tail(runtime: ProcessRuntime, sink: Recorder) -> None:
    """The tail is the newest lines: as many as asked for, all for None, none for 0."""
    await runtime.start(
        APP,
        program(writing("out(b'\\n'.join(b'%d' % n for n in range(100)) + b'\\n')"), SERVE, "serve()"),
        TCP,
    )
    await sink.until(AppState.RUNNING)
    await first_line(runtime, "99")
    assert [line.text for line in await log_of(runtime, tail=3)] == ["97", "98", "99"]
    assert len(await log_of(runtime)) == 101
    assert len(await log_of(runtime, tail=10_000)) == 101
    assert await log_of(runtime, tail=0) == []


async def test_follow(runtime: ProcessRuntime, sink: Recorder) -> None:
    """Who follows gets each line once and in order: those of before, and those that come."""
    source = program(
        """
        import time
        for number in range(200):
            print(number, flush=True)
            time.sleep(0.001)
        """,
        SERVE,
        "serve()",
    )
    await runtime.start(APP, source, TCP)
    await first_line(runtime, "20")
    numbers: list[int] = []
    async with asyncio.timeout(DEADLINE), aclosing(runtime.logs(APP, tail=None, follow=True)) as lines:
        async for line in lines:
            if line.stream is LogStream.STDOUT:
                numbers.append(int(line.text))
                if numbers[-1] == 199:
                    break
    assert numbers == list(range(200))


async def collected(lines: AsyncIterator[LogLine]) -> list[str]:
    """All lines, once there are no more."""
    return [line.text async for line in lines]


async def test_follow_across_restarts(runtime: ProcessRuntime, sink: Recorder) -> None:
    """Following goes on through crashes, a stop and a new start, and ends when the app is forgotten."""
    following = asyncio.create_task(collected(runtime.logs(APP, tail=None, follow=True)))
    await runtime.start(APP, program("raise SystemExit(1)"), TCP)
    await sink.until(AppState.FAILED)
    await runtime.stop(APP)
    await runtime.start(APP, program(SERVE, "serve()"), TCP)
    await sink.until(AppState.RUNNING)
    await runtime.stop(APP)
    assert not following.done()
    await runtime.forget(APP)
    async with asyncio.timeout(DEADLINE):
        texts = await following
    assert sum(text.startswith("started") for text in texts) == 5
    assert texts[-1] == "stopping"


async def test_follow_ends_with_the_runtime(runtime: ProcessRuntime) -> None:
    """When the server stops, whoever follows is told that it is over."""
    following = asyncio.create_task(collected(runtime.logs(APP, tail=None, follow=True)))
    await asyncio.sleep(0)
    await runtime.close()
    async with asyncio.timeout(DEADLINE):
        assert await following == []


async def test_slow_follower(small: ProcessRuntime, sink: Recorder) -> None:
    """A follower who does not keep up loses lines, learns how many, and holds up nobody."""
    async with aclosing(small.logs(APP, tail=None, follow=True)) as lines:
        pending = asyncio.ensure_future(anext(lines))
        await asyncio.sleep(0)
        source = program(
            writing(
                "out(b'first\\n'); time.sleep(0.3); out(b'\\n'.join(b'%d' % n for n in range(1000)) + b'\\n')"
            ),
            SERVE,
            "serve()",
        )
        await small.start(APP, source, TCP)
        await first_line(small, "999")
        assert (await pending).text.startswith("started")
        async with asyncio.timeout(DEADLINE):
            while "left out: they came too fast" not in (line := await anext(lines)).text:
                pass
            assert line.stream is LogStream.PLATFORM
            assert (await anext(lines)).text == "900"


async def test_kept_over_restarts_of_the_server(tmp_path: Path, sink: Recorder) -> None:
    """Logs are there after a restart of the server, also when the machine went down within a record."""
    runtime = ProcessRuntime(home=tmp_path, sink=sink, options=QUICK)
    await runtime.start(APP, program("print('before', flush=True)", SERVE, "serve()"), TCP)
    await first_line(runtime, "before")
    await runtime.close()
    with (tmp_path / "apps" / APP / "log").open("ab") as file:
        file.write(b"2026-01-01T00:00:00+00:00 std")
    again = ProcessRuntime(home=tmp_path, sink=sink, options=QUICK)
    assert "before" in [line.text for line in await log_of(again)]
    await again.start(APP, program("print('after', flush=True)", SERVE, "serve()"), TCP)
    await first_line(again, "after")
    assert "before" in [line.text for line in await log_of(again)]
    await again.close()


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/null")])
async def test_log_that_cannot_be_written(
    make: Callable[[Path], None],
    runtime: ProcessRuntime,
    sink: Recorder,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """When the log is no file, by an app's own hand, the app runs on, followers read, and we warn once."""
    (tmp_path / "apps" / APP).mkdir(parents=True)
    make(tmp_path / "apps" / APP / "log")
    following = asyncio.create_task(collected(runtime.logs(APP, tail=None, follow=True)))
    await runtime.start(APP, program("print(1, flush=True)\nprint(2, flush=True)", SERVE, "serve()"), TCP)
    await sink.until(AppState.RUNNING)
    await runtime.stop(APP)
    await runtime.close()
    assert {"1", "2", "stopping"} <= set(await following)
    warnings = [record.message for record in caplog.records]
    assert sum("log cannot be written" in each for each in warnings) == 1


async def test_logs_of_nothing(runtime: ProcessRuntime) -> None:
    """An app that has never printed has an empty log."""
    assert await log_of(runtime, OTHER) == []
