"""The policy in memory."""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from doorward_server.domain.credentials import Secret, TokenMacs
from doorward_server.domain.hosts import split_app_host
from doorward_server.domain.ids import AppId, TokenId
from doorward_server.domain.policy import LiveSecret, PolicyApp, PolicyToken


@dataclass(slots=True)
class Entries:
    """Apps and tokens by their ids."""

    apps: dict[AppId, PolicyApp] = field(default_factory=dict)
    tokens: dict[TokenId, PolicyToken] = field(default_factory=dict)

    def add_all(self, apps: Iterable[PolicyApp], tokens: Iterable[PolicyToken]) -> None:
        """Add these, or put them in the place of those with the same ids."""
        self.apps.update((app.app_id, app) for app in apps)
        self.tokens.update((token.token_id, token) for token in tokens)


class PolicyIndex:
    """Implements `domain.policy.PolicyView`. One thread changes it while others look things up.

    Without a lock: entries are immutable, and a lookup is one read of one dictionary, so it sees an entry as
    it was before a change or as it is after. A request after the acknowledgement of a change sees the change.
    """

    def __init__(self, macs: TokenMacs) -> None:
        self._macs = macs
        self._entries = Entries()
        self._domains: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._entries.apps) + len(self._entries.tokens)

    def app(self, app_id: AppId) -> PolicyApp | None:
        return self._entries.apps.get(app_id)

    def app_at(self, host: str) -> PolicyApp | None:
        parts = split_app_host(host)
        if parts is None:
            return None
        app_id, domain = parts
        app = self._entries.apps.get(app_id)
        return app if app is not None and self._domains.get(app.region) == domain else None

    def authenticate(self, secret: Secret) -> tuple[PolicyToken, LiveSecret] | None:
        mac = self._macs.mac(secret)
        token = self._entries.tokens.get(secret.token_id)
        if token is None:
            return None
        for live in token.secrets:
            if hmac.compare_digest(live.mac, mac):
                return token, live
        return None

    def set_domains(self, domains: Mapping[str, str]) -> None:
        """Set the regions: name to the domain of its apps."""
        self._domains = dict(domains)

    def replace(self, entries: Entries) -> None:
        """Put *entries*, which become the index's own, in the place of everything, at one stroke."""
        self._entries = entries

    def put_app(self, app: PolicyApp) -> None:
        """Add an app, or put it in the place of the one with the same id."""
        self._entries.apps[app.app_id] = app

    def put_token(self, token: PolicyToken) -> None:
        """Add a token, or put it in the place of the one with the same id."""
        self._entries.tokens[token.token_id] = token

    def remove_app(self, app_id: AppId) -> None:
        """Remove an app, if there is one."""
        self._entries.apps.pop(app_id, None)

    def remove_token(self, token_id: TokenId) -> None:
        """Remove a token, if there is one."""
        self._entries.tokens.pop(token_id, None)
