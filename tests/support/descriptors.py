"""How many descriptors the process of a test, and what it starts, may have open."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_least(descriptors: int) -> Iterator[None]:
    """So many during the block; fails where the machine does not allow it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard >= descriptors, f"ulimit -Hn {hard} allows no {descriptors} descriptors"
    with _soft_limit(max(soft, descriptors)):
        yield


@contextmanager
def no_more_than(descriptors: int) -> Iterator[None]:
    """So many at most during the block, and for what is started in it, which may raise that itself."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    with _soft_limit(min(soft, descriptors)):
        yield


@contextmanager
def _soft_limit(soft: int) -> Iterator[None]:
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))
