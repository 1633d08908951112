"""The parts of a log: files of bounded size, the budget, and who follows."""

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from doorward_server.runtimes.logs.budget import Budget
from doorward_server.runtimes.logs.files import RotatedFile
from doorward_server.runtimes.logs.followers import Follower
from doorward_server.services.runtime import LogLine, LogStream

LIMIT = 64


def line(text: str) -> LogLine:
    """A line that was printed."""
    return LogLine(datetime(2026, 1, 1, tzinfo=UTC), LogStream.STDOUT, text)


@given(batches=st.lists(st.lists(st.integers(0, 10**9), min_size=1, max_size=20), max_size=20))
def test_rotation(batches: list[list[int]]) -> None:
    """Neither file grows past the limit, and what is kept is the newest records, whole and in order."""
    with tempfile.TemporaryDirectory() as name:
        file = RotatedFile(Path(name), limit=LIMIT)
        for batch in batches:
            file.append(b"".join(b"%d\n" % number for number in batch))
        sizes = [path.stat().st_size for path in Path(name).iterdir()]
        kept = [int(record) for record in file.snapshot().records()]
        file.close()
    written = [number for batch in batches for number in batch]
    assert all(size <= LIMIT for size in sizes)
    assert kept == written[len(written) - len(kept) :]
    assert sum(len(str(number)) + 1 for number in kept) > LIMIT / 2 or kept == written


def test_snapshot_stands_still(tmp_path: Path) -> None:
    """A snapshot holds what was there when it was taken, whatever is rotated away afterwards."""
    file = RotatedFile(tmp_path, limit=LIMIT)
    file.append(b"first\n")
    snapshot = file.snapshot()
    for _ in range(50):
        file.append(b"later\n")
    assert snapshot.records() == [b"first"]
    file.close()


def test_snapshot_can_be_dropped(tmp_path: Path) -> None:
    """A snapshot that nobody reads is closed, once or twice."""
    file = RotatedFile(tmp_path, limit=LIMIT)
    file.append(b"first\n")
    file.close()
    snapshot = file.snapshot()
    snapshot.close()
    snapshot.close()


def test_budget() -> None:
    """The burst is kept at once, then as much as comes back with time; each line costs 64 bytes more."""
    now = 0.0
    budget = Budget(rate=100.0, burst=1000.0, clock=lambda: now)
    assert budget.open()
    budget.spend(bytes_=1000 - 64, lines=1)
    assert not budget.open()
    now = 1.0
    assert budget.open()
    budget.spend(bytes_=300, lines=0)
    now = 2.5
    assert not budget.open()
    now = 3.5
    assert budget.open()


def test_budget_is_bounded() -> None:
    """An app that was silent for long has saved up no more than the burst."""
    now = 0.0
    budget = Budget(rate=100.0, burst=1000.0, clock=lambda: now)
    now = 1e9
    assert budget.open()
    budget.spend(bytes_=1000, lines=0)
    assert not budget.open()


async def test_follower_in_order() -> None:
    """Lines come in order, also those from before the end, and then the end."""
    follower = Follower(10)
    follower.push([line("1"), line("2")])
    follower.push([line("3")])
    follower.end()
    assert await follower.next() == ([line("1"), line("2"), line("3")], 0)
    assert await follower.next() is None


async def test_follower_loses_the_oldest() -> None:
    """Past its capacity a follower loses the oldest lines, and how many is told once."""
    follower = Follower(2)
    follower.push(line(str(number)) for number in range(5))
    assert await follower.next() == ([line("3"), line("4")], 3)
    follower.push([line("5")])
    assert await follower.next() == ([line("5")], 0)


async def test_follower_waits() -> None:
    """A follower sleeps until something comes."""
    follower = Follower(2)
    waiting = asyncio.ensure_future(follower.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    follower.push([line("1")])
    assert await waiting == ([line("1")], 0)
