"""Waiting for something to become true, within a deadline: `wait_for`, and `eventually` for an event loop."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(look: Callable[[], T | None], *, what: str, within: float = 15.0) -> T:
    """Look until the result is truthy and return it; fails after *within* seconds."""
    deadline = time.monotonic() + within
    while not (result := look()):
        _fail_after(deadline, what, within)
        time.sleep(0.01)
    return result


async def eventually(look: Callable[[], Awaitable[T | None]], *, what: str, within: float = 15.0) -> T:
    """The same, for what is looked at in an event loop."""
    deadline = time.monotonic() + within
    while not (result := await look()):
        _fail_after(deadline, what, within)
        await asyncio.sleep(0.005)
    return result


def _fail_after(deadline: float, what: str, within: float) -> None:
    if time.monotonic() > deadline:
        raise AssertionError(f"{what}: not within {within:g} s")
