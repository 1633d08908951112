"""The policy in memory."""

import hmac
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from doorward_server.check.messages import (
    PackedApp,
    PackedToken,
    UnreadableEntryError,
    pack_app,
    pack_token,
    read_app,
    read_token,
)
from doorward_server.domain.credentials import Secret, TokenMacs
from doorward_server.domain.hosts import split_app_host
from doorward_server.domain.ids import AppId, TokenId
from doorward_server.domain.policy import LiveSecret, PolicyApp, PolicyToken
from doorward_server.policy.v1 import policy_pb2

_log = logging.getLogger(__name__)

_DROPPED_AT_ONCE: Final = 256
"""How many entries are dropped in one step, for Checks to be answered in between."""


@dataclass(slots=True)
class Entries:
    """Apps and tokens by their ids."""

    apps: dict[AppId, PackedApp] = field(default_factory=dict)
    tokens: dict[TokenId, PackedToken] = field(default_factory=dict)

    def put_app(self, app: policy_pb2.App) -> None:
        """Add an app, or put it in the place of the one with the same id."""
        self.apps[AppId(app.app_id)] = pack_app(app)

    def put_token(self, token: policy_pb2.Token) -> None:
        """Add a token, or put it in the place of the one with the same id; raises `UnreadableEntryError`."""
        self.tokens[TokenId(token.token_id)] = pack_token(token)

    def put_all(self, apps: Iterable[policy_pb2.App], tokens: Iterable[policy_pb2.Token]) -> None:
        """Add these, or put them in the place of those with the same ids; raises `UnreadableEntryError`."""
        for app in apps:
            self.put_app(app)
        for token in tokens:
            self.put_token(token)

    def clear(self) -> None:
        """Drop everything, in small steps: a million entries at once would hold up every other thread."""
        for table in (self.apps, self.tokens):
            while table:
                for _ in range(min(len(table), _DROPPED_AT_ONCE)):
                    table.popitem()


class PolicyIndex:
    """Implements `domain.policy.PolicyView`. One thread changes it while others look things up.

    Without a lock: entries are immutable, and a lookup is one read of one dictionary, so it sees an entry as
    it was before a change or as it is after. A request after the acknowledgement of a change sees the change.
    """

    def __init__(self, macs: TokenMacs) -> None:
        self._macs = macs
        self.entries: Entries = Entries()
        """The entries of this moment. To be looked things up in, and changed by the index alone."""
        self.domains: Mapping[str, str] = {}
        """The regions: name to the domain of its apps. Another object whenever one has changed."""

    def __len__(self) -> int:
        return len(self.entries.apps) + len(self.entries.tokens)

    def app(self, app_id: AppId) -> PolicyApp | None:
        packed = self.entries.apps.get(app_id)
        return None if packed is None else read_app(packed)

    def app_at(self, host: str) -> PolicyApp | None:
        parts = split_app_host(host)
        if parts is None:
            return None
        app_id, domain = parts
        app = self.app(app_id)
        return app if app is not None and self.domains.get(app.region) == domain else None

    def authenticate(self, secret: Secret) -> tuple[PolicyToken, LiveSecret] | None:
        mac = self._macs.mac(secret)
        packed = self.entries.tokens.get(secret.token_id)
        if packed is None:
            return None
        try:
            token = read_token(packed)
        except UnreadableEntryError as error:
            # What cannot be understood opens nothing.
            _log.error("%s", error)
            return None
        for live in token.secrets:
            if hmac.compare_digest(live.mac, mac):
                return token, live
        return None

    def set_domains(self, domains: Mapping[str, str]) -> None:
        """Set the regions: name to the domain of its apps."""
        if self.domains != domains:
            self.domains = dict(domains)

    def replace(self, entries: Entries) -> None:
        """Put *entries*, which become the index's own, in the place of everything, at one stroke."""
        former, self.entries = self.entries, entries
        former.clear()

    def put_app(self, app: policy_pb2.App) -> None:
        """Add an app, or put it in the place of the one with the same id."""
        self.entries.put_app(app)

    def put_token(self, token: policy_pb2.Token) -> None:
        """Add a token, or put it in the place of the one with the same id; raises `UnreadableEntryError`."""
        self.entries.put_token(token)

    def remove_app(self, app_id: AppId) -> None:
        """Remove an app, if there is one."""
        self.entries.apps.pop(app_id, None)

    def remove_token(self, token_id: TokenId) -> None:
        """Remove a token, if there is one."""
        self.entries.tokens.pop(token_id, None)
