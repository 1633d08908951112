"""Waiting for something to become true, within a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T | None]], *, what: str, within: float = 15.0) -> T:
    """Look until the result is truthy and return it; fails after *within* seconds."""
    deadline = time.monotonic() + within
    while not (result := await look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within:g} s")
        await asyncio.sleep(0.005)
    return result
