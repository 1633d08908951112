"""Api may die between any two statements: what was answered is there, and nothing is there by half."""

import asyncio
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from doorward_server.services.lifecycle import Lifecycle
from doorward_server.services.signals import Signals
from doorward_server.storage import SqlStorage
from tests.chaos.books import Books
from tests.chaos.terms import Terms
from tests.chaos.use_cases import USE_CASES
from tests.support.fakes import FakeClock, FakePropagation, FakeRuntime
from tests.support.waiting import eventually

_ROOT = Path(__file__).resolve().parents[2]
_LEAST_STEPS = 5
"""Fewer statements and commits than any of the use cases has."""


@pytest.fixture
def steps(database_url: str, terms: Terms, rng: Random) -> Iterator[int]:
    """The steps to be killed at: on SQLite each, on PostgreSQL one of so many."""
    stride = 1 if database_url.startswith("sqlite") else terms.stride
    return itertools.count(rng.randrange(stride) + 1, stride)


@pytest.mark.parametrize("use_case", USE_CASES)
async def test_killed_at_every_statement(
    database_url: str, storage: SqlStorage, tmp_path: Path, use_case: str, steps: Iterator[int]
) -> None:
    """Killed at its first step, at its second, and so on, a use case is done or not done, audit included."""
    async with _victims(database_url, use_case, home=tmp_path) as victims:
        step, answer, killed = 0, None, True
        while killed:
            step = next(steps)
            answer, killed = await _one(victims, step)
            books = await _after_a_restart(storage)
            books.check()
            if answer is not None:
                _check_answer(answer, books)
        assert answer is not None
        assert step > _LEAST_STEPS


@asynccontextmanager
async def _victims(
    database_url: str, use_case: str, *, home: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.statement_victim", database_url, use_case),
        cwd=_ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "DOORWARD_HOME": str(home)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def _one(victims: asyncio.subprocess.Process, step: int) -> tuple[dict[str, Any] | None, bool]:
    """Have one killed at a step; what it answered before, and whether it came to its end."""
    assert victims.stdin is not None
    assert victims.stdout is not None
    victims.stdin.write(f"{step}\n".encode())
    answer = None
    while line := (await victims.stdout.readline()).decode().strip():
        word, _, rest = line.partition(" ")
        if word != "answered":
            return answer, word == "killed"
        answer = json.loads(rest)
    raise AssertionError("the victim's process has ended")


async def _after_a_restart(storage: SqlStorage) -> Books:
    """What is there when the next api has finished what was begun."""
    runtime = FakeRuntime()
    lifecycle = Lifecycle(
        storage=storage, propagation=FakePropagation(), signals=Signals(), clock=FakeClock()
    )
    runtime.sink = lifecycle.observe
    await lifecycle.start(runtime)
    try:
        return await eventually(lambda: _settled(storage), what="no app is on its way", within=60)
    finally:
        await lifecycle.close()


async def _settled(storage: SqlStorage) -> Books | None:
    books = await Books.read(storage)
    states = {each.status.state.name for each in books.apps.values()}
    return books if states <= {"RUNNING", "STOPPED"} else None


def _check_answer(answer: dict[str, Any], books: Books) -> None:
    if "token" in answer:
        token = books.tokens.get(answer["token"])
        assert (None if token is None else token.generation) == answer["generation"]
        return
    app = books.apps.get(answer["app"])
    found = (None, None) if app is None else (app.labels["group"], app.status.state.name)
    assert found == (answer["group"], answer["state"])
