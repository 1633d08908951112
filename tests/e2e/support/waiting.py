"""Waiting for something to become true, within a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(look: Callable[[], T | None], *, what: str, timeout: float = 15.0) -> T:
    """Look until the result is truthy and return it; fails after *timeout* seconds."""
    deadline = time.monotonic() + timeout
    while not (result := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout:g} s")
        time.sleep(0.01)
    return result
