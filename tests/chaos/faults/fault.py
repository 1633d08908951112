"""What a fault is."""

from contextlib import AbstractAsyncContextManager
from random import Random
from typing import Protocol

from tests.chaos.world import World


class Fault(Protocol):
    """Begins with the block, and is over when the block ends."""

    __name__: str

    def __call__(self, world: World, rng: Random, /) -> AbstractAsyncContextManager[None]:
        """Strike *world*; what is not given is left to *rng*."""
