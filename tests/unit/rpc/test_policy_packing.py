"""Tokens of a snapshot, put together from pieces, are the messages that they would be otherwise."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from doorward_server.domain.policy import PolicyToken
from doorward_server.policy.v1 import policy_pb2
from doorward_server.rpc.policy_messages import token_message
from doorward_server.rpc.policy_packing import pack_tokens
from doorward_server.services.ports import SecretRow
from tests.unit.check.test_policy_round_trip import TOKENS


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _rows(token: PolicyToken) -> list[SecretRow]:
    """The rows of a token that itself never ends."""
    selector = None if token.selector is None else str(token.selector)
    own = (token.token_id, token.role.name, token.region, selector, None)
    return [
        SecretRow(*own, each.generation, each.mac, _time(each.expire_time)) for each in token.secrets
    ] or [SecretRow(*own, None, None, None)]


def _packed(rows: Sequence[SecretRow]) -> list[policy_pb2.Token]:
    return [policy_pb2.Token.FromString(each) for each in pack_tokens(rows)]


@given(tokens=st.lists(st.builds(PolicyToken, **TOKENS), unique_by=lambda each: each.token_id, max_size=5))
def test_a_token_is_the_same_message(tokens: list[PolicyToken]) -> None:
    """Whatever its role, region and selector, with as many secrets as it has, also beside other tokens."""
    rows = list(chain.from_iterable(map(_rows, tokens)))
    assert _packed(rows) == list(map(token_message, tokens))


@given(token=st.builds(PolicyToken, **TOKENS), end=st.integers(0, 2**34).map(lambda halves: halves / 2))
def test_no_secret_outlives_its_token(token: PolicyToken, end: float) -> None:
    """Each ends with the token at the latest."""
    rows = [row._replace(token_expire_time=_time(end)) for row in _rows(token)]
    (packed,) = _packed(rows)
    ends = [each.expire_time.seconds + each.expire_time.nanos / 1e9 for each in packed.generations]
    assert all(each.HasField("expire_time") for each in packed.generations)
    assert ends == [end if each.expire_time is None else min(end, each.expire_time) for each in token.secrets]
