"""Garbage collection that no Check has to wait for.

What a replica keeps (what it has read of the policy, what it remembers) is made of hundreds of thousands of
objects and has no cycles, so counting references frees it. Yet each full collection would look at all of it,
and hold up Checks meanwhile. So what has survived one is not looked at again.
"""

import gc
from itertools import count
from typing import Any, Final

_OLDEST: Final = 2
_THRESHOLDS: Final = (300, 2, 0)
"""A full collection after 1,200 new objects, less those that were freed. It looks at these alone."""
_RENEWED: Final = 256

_renewals = count(1)


def collect_briefly() -> None:
    """Have collections look at what is new alone, from now on until the process ends.

    The price is that a cycle which became garbage after it survived a full collection stays. That is what
    belonged to a stream of the moment: some kilobytes each time the process has grown by many objects.
    """
    gc.collect()
    gc.freeze()
    # A full collection waits until there is a quarter as much as the last one has left: now that is nothing.
    gc.collect()
    gc.set_threshold(*_THRESHOLDS)
    if _freeze_survivors not in gc.callbacks:
        gc.callbacks.append(_freeze_survivors)


def count_renewal() -> None:
    """Count an object that is kept in the place of another, which is freed.

    The collector counts new objects less those that were freed, and so would leave any number of these until
    something else has it look at them all at once.
    """
    if next(_renewals) % _RENEWED == 0 and _freeze_survivors in gc.callbacks:
        gc.collect()


def _freeze_survivors(phase: str, info: dict[str, Any]) -> None:
    if phase == "stop" and info["generation"] == _OLDEST:
        gc.freeze()
