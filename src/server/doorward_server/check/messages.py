"""The policy's entries, from the messages of the policy stream."""

from functools import lru_cache

from doorward_server.domain.ids import AppId, RegionName, TokenId
from doorward_server.domain.policy import Address, LiveSecret, PolicyApp, PolicyToken
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import Selector, parse_selector
from doorward_server.policy.v1 import policy_pb2

_MAC_LENGTH = 32


class UnreadableEntryError(Exception):
    """An entry that this replica does not understand, so that it could only guess what is allowed."""


def read_app(message: policy_pb2.App) -> PolicyApp:
    """An app's entry."""
    upstream = message.upstream
    return PolicyApp(
        app_id=AppId(message.app_id),
        region=RegionName(message.region),
        labels=dict(message.labels),
        public=message.public,
        operator_paths=tuple(message.operator_paths),
        cors_preflight=message.cors_preflight,
        upstream=Address(host=upstream.host, port=upstream.port) if message.HasField("upstream") else None,
    )


def read_token(message: policy_pb2.Token) -> PolicyToken:
    """A token's entry; raises `UnreadableEntryError`."""
    try:
        return PolicyToken(
            token_id=TokenId(message.token_id),
            role=Role[message.role],
            region=RegionName(message.region) if message.region else None,
            selector=_selector(message.label_selector) if message.label_selector else None,
            secrets=tuple(_secret(generation) for generation in message.generations),
        )
    except (KeyError, ValueError) as error:
        raise UnreadableEntryError(f"token {message.token_id}: {error}") from None


def _secret(message: policy_pb2.Generation) -> LiveSecret:
    if len(message.mac) != _MAC_LENGTH:
        raise ValueError(f"generation {message.generation} has a MAC of {len(message.mac)} bytes")
    expire_time = None
    if message.HasField("expire_time"):
        expire_time = message.expire_time.seconds + message.expire_time.nanos / 1e9
    return LiveSecret(generation=message.generation, mac=message.mac, expire_time=expire_time)


@lru_cache(maxsize=4096)
def _selector(text: str) -> Selector:
    # Many tokens share a selector; it is immutable.
    return parse_selector(text)
