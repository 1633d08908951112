"""The policy stream does not deliver what was sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from tests.chaos.stream_proxy import StreamProxy
from tests.chaos.world import World


@asynccontextmanager
async def doubled_messages(world: World, rng: Random) -> AsyncIterator[None]:
    """Some messages come twice, also after newer ones."""
    with _stream(world).tampering("double", seed=rng.random()):
        yield


@asynccontextmanager
async def lost_messages(world: World, rng: Random) -> AsyncIterator[None]:
    """Some messages never come."""
    with _stream(world).tampering("lose", seed=rng.random()):
        yield


@asynccontextmanager
async def late_messages(world: World, rng: Random) -> AsyncIterator[None]:
    """Every message takes its time."""
    with _stream(world).tampering("delay", seed=rng.random()):
        yield


def _stream(world: World) -> StreamProxy:
    assert world.stream is not None, "the stream of this platform goes through no proxy"
    return world.stream
