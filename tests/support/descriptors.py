"""How many descriptors processes have open, and may have."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tests.support.waiting import wait_for


@contextmanager
def at_least(descriptors: int) -> Iterator[None]:
    """This process may have so many during the block; fails where the machine does not allow it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard >= descriptors, f"ulimit -Hn {hard} allows no {descriptors} descriptors"
    with _soft_limit(max(soft, descriptors)):
        yield


@contextmanager
def no_more_than(descriptors: int) -> Iterator[None]:
    """This process may have so many at most during the block, and what it starts begins with that."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    with _soft_limit(min(soft, descriptors)):
        yield


def settled_descriptors(process: psutil.Process) -> int:
    """How many are open, once connections that have ended are noticed as such."""
    seen: list[int] = []

    def settled() -> bool:
        seen.append(process.num_fds())
        return len(seen) >= 20 and len(set(seen[-20:])) == 1

    wait_for(settled, what="no more connections ending")
    return seen[-1]


@contextmanager
def _soft_limit(soft: int) -> Iterator[None]:
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))
