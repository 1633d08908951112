"""A defect on purpose: a check that never forgets a secret that it has known."""

from doorward_server.check.index import PolicyIndex
from doorward_server.domain.ids import TokenId
from doorward_server.policy.v1 import policy_pb2

_put_token = PolicyIndex.put_token


def _keep(self: PolicyIndex, token_id: TokenId) -> None:
    """Forget nothing."""


def _add(self: PolicyIndex, token: policy_pb2.Token) -> None:
    """Learn the first secret, and none that takes its place."""
    if token.token_id not in self.entries.tokens:
        _put_token(self, token)


PolicyIndex.remove_token = _keep  # type: ignore[method-assign]
PolicyIndex.put_token = _add  # type: ignore[method-assign]
