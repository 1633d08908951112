"""When a replica acknowledges what it has applied."""

import asyncio
from collections.abc import Iterator
from typing import Self, cast

import grpc
import pytest

from doorward_server.check.follower import PolicyFollower
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.replica import Replica
from doorward_server.check.uses import TokenUses
from doorward_server.policy.v1 import policy_pb2
from doorward_server.policy.v1.policy_pb2 import StreamPolicyRequest, StreamPolicyResponse
from tests.support.hand_moved_loop import HandMovedLoop
from tests.unit.check.stream_world import KEY, WELCOME

JOINED = 0.002
"""Seconds that an acknowledgement may wait for others."""


class FakeStream:
    """A channel and its one call: an api that answers each message at once."""

    def __init__(self, loop: HandMovedLoop) -> None:
        self._loop = loop
        self._sequence = self._revision = 0
        self._inbox: asyncio.Queue[StreamPolicyResponse] = asyncio.Queue()
        self.heard: list[tuple[float, int]] = []
        """When each message after the hello came, and the revision that it acknowledges."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def stream_stream(self, *_: object, **_options: object) -> object:
        return lambda *, metadata: self

    async def read(self) -> StreamPolicyResponse:
        return await self._inbox.get()

    async def write(self, message: StreamPolicyRequest) -> None:
        if message.HasField("hello"):
            self._tell(StreamPolicyResponse(welcome=WELCOME))
            self._tell(StreamPolicyResponse(snapshot=policy_pb2.Snapshot(last=True), revision=1))
            self._revision = 1
        else:
            self.heard.append((self._loop.time(), message.applied_revision))
        self._tell(StreamPolicyResponse(revision=self._revision, answered_sequence=message.sequence))

    async def done_writing(self) -> None: ...

    def cancel(self) -> None: ...

    def change(self) -> None:
        """Tell of a change."""
        self._revision += 1
        gone = policy_pb2.Changes(changes=[policy_pb2.Change(deleted_app_id="a")])
        self._tell(StreamPolicyResponse(changes=gone, revision=self._revision))

    def _tell(self, response: StreamPolicyResponse) -> None:
        self._sequence += 1
        response.sequence = self._sequence
        self._inbox.put_nowait(response)


@pytest.fixture
def loop() -> Iterator[HandMovedLoop]:
    """Moved by hand."""
    loop = HandMovedLoop()
    yield loop
    loop.close()


@pytest.fixture
def stream(loop: HandMovedLoop) -> Iterator[FakeStream]:
    """One that a replica follows, which has acknowledged the snapshot a second ago."""
    stream = FakeStream(loop)
    replica = Replica(
        follower=PolicyFollower(
            index=PolicyIndex(KEY.token_macs()), lease=Lease(loop.time), region=None, clock=loop.time
        ),
        uses=TokenUses(),
        open_channel=lambda: cast(grpc.aio.Channel, stream),
        stream_key=b"",
        on_message=lambda: None,
        clock=loop.time,
    )
    following = loop.create_task(replica.follow())
    loop.settle()
    loop.advance(1)
    assert stream.heard[-1][1] == 1
    stream.heard.clear()
    yield stream
    following.cancel()
    loop.settle()
    assert following.done()


def test_a_change_by_itself_is_acknowledged_at_once(loop: HandMovedLoop, stream: FakeStream) -> None:
    """Whoever waits for it to be in force everywhere waits for nothing else."""
    for _ in range(3):
        stream.change()
        loop.settle()
        loop.advance(2 * JOINED)
    began = stream.heard[0][0]
    assert stream.heard == [(began + 2 * JOINED * turn, 2 + turn) for turn in range(3)]


def test_changes_that_follow_closely_are_acknowledged_together(
    loop: HandMovedLoop, stream: FakeStream
) -> None:
    """However many there are, there are few acknowledgements, and none is late by more than a moment."""
    step = JOINED / 20
    told_at: dict[int, float] = {}
    for _ in range(200):
        stream.change()
        loop.settle()
        told_at[len(told_at) + 2] = loop.time()
        loop.advance(step)
    loop.advance(JOINED)
    assert len(stream.heard) <= 12
    in_force = 1
    for time, revision in stream.heard:
        waited = [time - told_at[each] for each in range(in_force + 1, revision + 1)]
        assert max(waited) <= JOINED + step
        in_force = revision
    assert in_force == 201
