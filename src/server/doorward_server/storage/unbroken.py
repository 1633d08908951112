"""Steps that a cancellation does not cut in two."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def unbroken(step: Coroutine[Any, Any, None]) -> None:
    """Run *step* to its end. A cancellation meanwhile is put off to the next `await` of the caller.

    So whoever awaits this learns whether the step was made, which a `CancelledError` does not tell.
    """
    caller = asyncio.current_task()
    running = asyncio.ensure_future(step)
    put_off = 0
    while not running.done():
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError:
            if caller is None:
                raise
            # Taken back, and repeated below: so the count stays right for `asyncio.timeout`.
            caller.uncancel()
            put_off += 1
    for _ in range(put_off):
        if caller is not None:
            caller.cancel()
    running.result()


async def completed(step: Coroutine[Any, Any, T]) -> T:
    """Run *step* to its end, and raise a cancellation that came meanwhile only then.

    So what the step holds is in a known state, and can be given back.
    """
    running = asyncio.ensure_future(step)
    cancellation = None
    while not running.done():
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError as error:
            cancellation = error
    if cancellation is None:
        return running.result()
    if not running.cancelled():
        # Looked at, so that nobody warns of it: the caller has gone, and so has the one who would care.
        running.exception()
    raise cancellation
