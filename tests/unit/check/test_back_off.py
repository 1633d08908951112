"""How often a replica tries to follow the policy."""

import pytest

from doorward_server.check.follower import PolicyFollower
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.replica import Replica
from doorward_server.check.uses import TokenUses
from doorward_server.policy.v1 import policy_pb2
from tests.support.hand_moved_loop import HandMovedLoop
from tests.unit.check.stream_world import KEY, WELCOME


def test_a_stream_that_breaks_after_its_welcome_is_tried_with_back_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What resets the pause between two attempts is a stream that has brought the policy, not a welcome."""
    loop = HandMovedLoop()
    follower = PolicyFollower(
        index=PolicyIndex(KEY.token_macs()), lease=Lease(loop.time), region=None, clock=loop.time
    )
    replica = Replica(
        follower=follower,
        uses=TokenUses(),
        open_channel=lambda: pytest.fail("no channel is needed"),
        stream_key=b"",
        on_message=lambda: None,
        clock=loop.time,
    )
    attempts = 0

    async def breaks_after_its_welcome() -> str:
        nonlocal attempts
        attempts += 1
        follower.hello()
        follower.receive(policy_pb2.StreamPolicyResponse(sequence=1, welcome=WELCOME))
        return "broken"

    monkeypatch.setattr(replica, "_fault_of_one_stream", breaks_after_its_welcome)
    following = loop.create_task(replica.follow())
    for _ in range(200):
        loop.advance(0.05)
    replica.leave()
    loop.settle()
    assert following.done()
    loop.close()
    # In 10 s, with pauses that grow to a second. At the first pause it would be a hundred at least.
    assert 10 <= attempts <= 40


def test_a_stream_grants_with_its_first_answer() -> None:
    """A stream has brought the policy when it answers; the next one has to bring it again."""
    follower = PolicyFollower(
        index=PolicyIndex(KEY.token_macs()), lease=Lease(lambda: 1.0), region=None, clock=lambda: 1.0
    )
    granted = []
    follower.hello()
    for sequence, message in enumerate(
        (
            policy_pb2.StreamPolicyResponse(welcome=WELCOME),
            policy_pb2.StreamPolicyResponse(snapshot=policy_pb2.Snapshot(last=True), revision=1),
            policy_pb2.StreamPolicyResponse(revision=1, answered_sequence=1),
        ),
        start=1,
    ):
        message.sequence = sequence
        follower.receive(message)
        granted.append(follower.granted)
    follower.hello()
    granted.append(follower.granted)
    assert granted == [False, False, True, False]
