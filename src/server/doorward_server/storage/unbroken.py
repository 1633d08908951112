"""Steps that a cancellation does not cut in two."""

import asyncio
from collections.abc import Coroutine
from typing import Any


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
