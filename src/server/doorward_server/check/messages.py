"""The policy's entries as a replica keeps them: serialized messages, read when a decision first needs them.

An entry takes a fraction of the memory of the objects that it is read into, the garbage collector never looks
at it, and a replica with a million of them is ready in seconds.
"""

from functools import lru_cache
from typing import Final, NewType

from doorward_server.check.bounded import Bounded
from doorward_server.domain.ids import AppId, RegionName, TokenId
from doorward_server.domain.policy import Address, LiveSecret, PolicyApp, PolicyToken
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import Selector, parse_selector
from doorward_server.policy.v1 import policy_pb2

PackedApp = NewType("PackedApp", bytes)
"""A serialized `policy_pb2.App`."""

PackedToken = NewType("PackedToken", bytes)
"""A serialized `policy_pb2.Token`."""

_ROLES: Final = frozenset(Role.__members__)
_MAC_LENGTH: Final = 32
_READ: Final = 32_768
"""How many entries of each kind are kept as objects."""

# Not `lru_cache`: that keys by tuples, which are the garbage collector's business only while they are new. So
# the dictionary of them all is new to it again and again, and looked at from end to end.
_apps: Final = Bounded[PackedApp, PolicyApp](_READ)
_tokens: Final = Bounded[PackedToken, PolicyToken](_READ)


class UnreadableEntryError(Exception):
    """An entry that this replica does not understand, so that it could only guess what is allowed."""


def pack_app(message: policy_pb2.App) -> PackedApp:
    """Pack an app's entry."""
    return PackedApp(message.SerializeToString())


def pack_token(message: policy_pb2.Token) -> PackedToken:
    """Pack a token's entry; raises `UnreadableEntryError`. Its selector is left for `read_token` to judge."""
    _check_token(message)
    return PackedToken(message.SerializeToString())


def pack_snapshot(part: policy_pb2.Snapshot) -> tuple[dict[AppId, PackedApp], dict[TokenId, PackedToken]]:
    """Pack the apps and tokens of a part, as one by one but all at once; raises `UnreadableEntryError`."""
    packed = policy_pb2.PackedSnapshot.FromString(part.SerializeToString())
    for token in part.tokens:
        _check_token(token)
    apps = zip(part.apps, packed.apps, strict=True)
    tokens = zip(part.tokens, packed.tokens, strict=True)
    return (
        {AppId(app.app_id): PackedApp(entry) for app, entry in apps},
        {TokenId(token.token_id): PackedToken(entry) for token, entry in tokens},
    )


def _check_token(message: policy_pb2.Token) -> None:
    """Raise `UnreadableEntryError` for a token of which this replica could only guess what it opens."""
    if message.role not in _ROLES:
        raise UnreadableEntryError(f"token {message.token_id}: role {message.role!r} is not known")
    for generation in message.generations:
        if len(generation.mac) != _MAC_LENGTH:
            raise UnreadableEntryError(
                f"token {message.token_id}: generation {generation.generation} has a MAC of"
                f" {len(generation.mac)} bytes"
            )


def read_app(packed: PackedApp) -> PolicyApp:
    """Read an app's entry: the same object for the same bytes, while it is kept."""
    app = _apps.get(packed)
    if app is None:
        app = _apps[packed] = _app(packed)
    return app


def read_token(packed: PackedToken) -> PolicyToken:
    """Read a token's entry: the same object for the same bytes, while it is kept.

    Raises `UnreadableEntryError` for a selector that this replica does not understand.
    """
    token = _tokens.get(packed)
    if token is None:
        token = _tokens[packed] = _token(packed)
    return token


def _app(packed: PackedApp) -> PolicyApp:
    message = policy_pb2.App.FromString(packed)
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


def _token(packed: PackedToken) -> PolicyToken:
    message = policy_pb2.Token.FromString(packed)
    try:
        selector = _selector(message.label_selector) if message.label_selector else None
    except ValueError as error:
        raise UnreadableEntryError(f"token {message.token_id}: {error}") from None
    return PolicyToken(
        token_id=TokenId(message.token_id),
        role=Role[message.role],
        region=RegionName(message.region) if message.region else None,
        selector=selector,
        secrets=tuple(_secret(generation) for generation in message.generations),
    )


def _secret(message: policy_pb2.Generation) -> LiveSecret:
    expire_time = None
    if message.HasField("expire_time"):
        expire_time = message.expire_time.seconds + message.expire_time.nanos / 1e9
    return LiveSecret(generation=message.generation, mac=message.mac, expire_time=expire_time)


@lru_cache(maxsize=4096)
def _selector(text: str) -> Selector:
    # Many tokens share a selector; it is immutable.
    return parse_selector(text)
