"""The two clients, used alike, so that one test is about both.

An `AsyncClient` is put behind something that awaits whatever must be awaited, on an event loop of its own,
and otherwise leaves everything as it is.
"""

import asyncio
import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Self, cast

import pytest

import doorward
from doorward._async_calls import AsyncStream
from doorward._operations import Awaiting
from doorward._pages import AsyncPages

KINDS = ("Client", "AsyncClient")

Connect = Callable[..., doorward.Client]
"""Makes a client of the kind that the test is about, which is closed after it."""


class Awaited:
    """Something of an `AsyncClient`, used as its blocking counterpart is."""

    def __init__(self, thing: Any, runner: asyncio.Runner) -> None:
        self._thing = thing
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        return self._had(getattr(self._thing, name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._had(self._runner.run(_done(lambda: self._thing(*args, **kwargs))))

    def __iter__(self) -> Iterator[Any]:
        return Awaited(aiter(self._thing), self._runner)

    def __next__(self) -> Any:
        try:
            return self._runner.run(_done(lambda: anext(self._thing)))
        except StopAsyncIteration:
            raise StopIteration from None

    def __enter__(self) -> Self:
        self._runner.run(self._thing.__aenter__())
        return self

    def __exit__(self, *how: object) -> None:
        self._runner.run(self._thing.__aexit__(*how))

    def __repr__(self) -> str:
        return repr(self._thing)

    def _had(self, value: Any) -> Any:
        if inspect.ismethod(value) or isinstance(value, Awaiting | AsyncPages | AsyncStream):
            return Awaited(value, self._runner)
        return Awaited(value, self._runner) if inspect.isasyncgen(value) else value


async def _done(what: Callable[[], Any]) -> Any:
    """Do something on the event loop, and await it when that is to be done."""
    value = what()
    return await value if inspect.isawaitable(value) else value


@contextmanager
def connecting(kind: str) -> Generator[Connect]:
    """Give what makes clients of a kind, from an address and options, or from the environment without."""
    made: list[Any] = []
    with asyncio.Runner() as runner:

        def connect(*address: str, **options: Any) -> doorward.Client:
            cls: Any = getattr(doorward, kind)
            client = cls(*address, **options) if address else cls.from_env(**options)
            made.append(client if kind == "Client" else Awaited(client, runner))
            return cast("doorward.Client", made[-1])

        yield connect
        for client in made:
            client.close()


@pytest.fixture(params=KINDS)
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Makes clients: of one kind, then of the other."""
    with connecting(request.param) as connect:
        yield connect


@pytest.fixture
def client(api: Any, token: str, connect: Connect) -> doorward.Client:
    """A client of the fake api."""
    return connect(api.address, token=token)
