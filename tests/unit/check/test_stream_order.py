"""A replica takes the messages of a stream in the order of their numbers, and no others."""

import pytest

from doorward_server.check.follower import PolicyFollower, StreamBrokenError
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.domain.credentials import mint_secret, mint_token_id
from doorward_server.domain.ids import Revision
from doorward_server.policy.v1 import policy_pb2
from doorward_server.policy.v1.policy_pb2 import StreamPolicyResponse as Response
from doorward_server.rpc.policy_stream import Terms
from doorward_server.services.ports import PolicyHead
from tests.unit.check.stream_world import KEY, WELCOME


class Told:
    """A replica that has been told of one token, in the two messages that a stream begins with."""

    def __init__(self) -> None:
        self.secret = mint_secret(mint_token_id())
        self.index = PolicyIndex(KEY.token_macs())
        self.follower = PolicyFollower(
            index=self.index, lease=Lease(lambda: 0.0), region=None, clock=lambda: 0.0
        )
        self.follower.hello()
        self.follower.receive(Response(sequence=1, welcome=WELCOME))
        snapshot = policy_pb2.Snapshot(tokens=[self.token()], last=True)
        self.follower.receive(Response(sequence=2, revision=1, snapshot=snapshot))

    def token(self) -> policy_pb2.Token:
        """The token, as the stream tells of it."""
        generation = policy_pb2.Generation(generation=1, mac=KEY.token_macs().mac(self.secret))
        return policy_pb2.Token(token_id=self.secret.token_id, role="READ_ONLY", generations=[generation])

    def change(self, *, sequence: int, revision: int, deleted: bool) -> Response:
        """A message that says the token is there, or gone."""
        change = policy_pb2.Change(token=self.token())
        if deleted:
            change = policy_pb2.Change(deleted_token_id=self.secret.token_id)
        return Response(sequence=sequence, revision=revision, changes=policy_pb2.Changes(changes=[change]))

    @property
    def knows_the_token(self) -> bool:
        """Whether it would let the token in."""
        return self.index.authenticate(self.secret) is not None


def test_an_old_message_that_comes_again_brings_nothing_back() -> None:
    """A message that arrives twice ends the stream before it is applied: a deleted token stays deleted."""
    told = Told()
    there = told.change(sequence=3, revision=2, deleted=False)
    told.follower.receive(there)
    told.follower.receive(told.change(sequence=4, revision=3, deleted=True))
    assert not told.knows_the_token
    with pytest.raises(StreamBrokenError, match="message 3 came in the place of 5"):
        told.follower.receive(there)
    assert not told.knows_the_token


def test_a_missing_message_is_noticed_at_the_next_one() -> None:
    """A replica that was not told of a deletion does not acknowledge what came after it."""
    told = Told()
    with pytest.raises(StreamBrokenError, match="message 4 came in the place of 3"):
        told.follower.receive(Response(sequence=4, revision=3, answered_sequence=1))
    assert told.follower.revision == 1


def test_each_stream_counts_anew() -> None:
    """The first message of the next stream is number 1 again."""
    told = Told()
    told.follower.hello()
    told.follower.receive(Response(sequence=1, welcome=WELCOME))
    assert told.follower.welcomed


def test_a_welcome_without_a_lease_is_not_followed() -> None:
    """Not set is not zero: zero, in so many words, is a lease that never ends, and nothing is guessed."""
    lease = Lease(lambda: 1.0)
    follower = PolicyFollower(
        index=PolicyIndex(KEY.token_macs()), lease=lease, region=None, clock=lambda: 1.0
    )
    follower.hello()
    with pytest.raises(StreamBrokenError, match="no lease"):
        follower.receive(Response(sequence=1, welcome=policy_pb2.Welcome(policy_id="policy-1")))
    assert not follower.welcomed
    with pytest.raises(StreamBrokenError):
        follower.receive(
            Response(sequence=2, revision=1, answered_sequence=1, snapshot=policy_pb2.Snapshot(last=True))
        )
    assert not lease.fresh


def test_a_lease_of_zero_is_sent_as_such() -> None:
    """It is there on the wire, and the replica that hears it decides for ever."""
    terms = Terms(lease=0.0, heartbeat=5.0, region_domains={})
    wire = Response(
        sequence=1, welcome=terms.welcome(PolicyHead("policy-1", Revision(1)))
    ).SerializeToString()
    now = 1.0
    lease = Lease(lambda: now)
    follower = PolicyFollower(
        index=PolicyIndex(KEY.token_macs()), lease=lease, region=None, clock=lambda: now
    )
    follower.hello()
    follower.receive(Response.FromString(wire))
    follower.receive(
        Response(sequence=2, revision=1, answered_sequence=1, snapshot=policy_pb2.Snapshot(last=True))
    )
    now = 1e9
    assert lease.fresh
