"""What a replica reads: Envoy's requests, and the policy's entries."""

from collections.abc import Iterator

import pytest
from envoy.service.auth.v3 import external_auth_pb2
from google.protobuf.descriptor import Descriptor

from doorward_server.check.follower import PolicyFollower, StreamBrokenError
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.messages import UnreadableEntryError, pack_token, read_token
from doorward_server.domain.credentials import PlatformKey, mint_secret, mint_token_id
from doorward_server.extauthz.v1 import check_request_pb2, recurring_request_pb2
from doorward_server.policy.v1 import policy_pb2
from tests.unit.check.stream_world import WELCOME

MACS = PlatformKey("key-1", b"k" * 32).token_macs()


def _alike(ours: Descriptor, envoys: Descriptor) -> None:
    for field in ours.fields:
        theirs = envoys.fields_by_name[field.name]
        assert field.number == theirs.number, field.full_name
        if field.name == "header_map":
            # Bytes are what a message is on the wire, and repeated ones are its pieces.
            assert (field.type, theirs.type) == (field.TYPE_BYTES, field.TYPE_MESSAGE)
            continue
        assert field.is_repeated == theirs.is_repeated, field.full_name
        assert field.type == theirs.type, field.full_name
        if field.message_type is not None and theirs.message_type is not None:
            _alike(field.message_type, theirs.message_type)


@pytest.mark.parametrize(
    "ours", [check_request_pb2.CheckRequest.DESCRIPTOR, recurring_request_pb2.RecurringRequest.DESCRIPTOR]
)
def test_requests_are_read_by_envoys_own_numbers(ours: Descriptor) -> None:
    """Each field that is read has the number and the type that it has in Envoy's CheckRequest."""
    _alike(ours, external_auth_pb2.CheckRequest.DESCRIPTOR)


def test_what_a_decision_reads_is_what_a_request_is_recognised_by() -> None:
    """All of it recurs, as the same types, or requests would be taken for one another."""
    recognised = set(_fields(recurring_request_pb2.RecurringRequest.DESCRIPTOR))
    assert set(_fields(check_request_pb2.CheckRequest.DESCRIPTOR)) <= recognised


def _fields(message: Descriptor, *above: int) -> Iterator[tuple[object, ...]]:
    for field in message.fields:
        place = (*above, field.number)
        yield (*place, field.type, field.is_repeated)
        if field.message_type is not None:
            yield from _fields(field.message_type, *place)


def _token(**fields: object) -> policy_pb2.Token:
    generations = [policy_pb2.Generation(generation=1, mac=bytes(32))]
    given = {"token_id": "token0000001", "role": "READ_ONLY", "region": "GRA", "generations": generations}
    return policy_pb2.Token(**(given | fields))  # type: ignore[arg-type]  # the fields are the test's


@pytest.mark.parametrize(
    "token",
    [
        _token(role="OWNER"),
        _token(role=""),
        _token(generations=[policy_pb2.Generation(generation=1, mac=bytes(31))]),
        _token(generations=[policy_pb2.Generation(generation=1)]),
    ],
    ids=["unknown role", "no role", "short MAC", "no MAC"],
)
def test_an_entry_that_is_not_understood_ends_the_stream(token: policy_pb2.Token) -> None:
    """A replica takes no policy of which it could only guess what it allows, and its lease is not renewed."""
    with pytest.raises(UnreadableEntryError, match="token0000001"):
        pack_token(token)
    lease = Lease(lambda: 1.0)
    follower = PolicyFollower(index=PolicyIndex(MACS), lease=lease, region=None, clock=lambda: 1.0)
    follower.hello()
    welcome = policy_pb2.StreamPolicyResponse(sequence=1, welcome=WELCOME)
    follower.receive(welcome)
    snapshot = policy_pb2.Snapshot(tokens=[token], last=True)
    with pytest.raises(StreamBrokenError, match="token0000001"):
        follower.receive(
            policy_pb2.StreamPolicyResponse(sequence=2, snapshot=snapshot, revision=1, answered_sequence=1)
        )
    assert not lease.fresh


def test_a_token_whose_selector_is_not_understood_opens_nothing() -> None:
    """A selector of a grammar to come is as good as no token; the others of the replica work on."""
    secret, other = mint_secret(mint_token_id()), mint_secret(mint_token_id())
    index = PolicyIndex(MACS)
    for each, selector in ((secret, "group ~= A"), (other, "group=A")):
        generations = [policy_pb2.Generation(generation=1, mac=MACS.mac(each))]
        index.put_token(_token(token_id=each.token_id, label_selector=selector, generations=generations))
    assert index.authenticate(secret) is None
    assert index.authenticate(other) is not None


def test_an_entry_is_read_into_one_object() -> None:
    """Equal bytes give the same object, by which it is known later that nothing has changed."""
    packed = pack_token(_token(label_selector="group=A"))
    assert read_token(packed) is read_token(packed)
