"""A policy held in two lists: the simplest thing that a decision can look things up in."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from doorward_server.domain.credentials import PlatformKey, Secret
from doorward_server.domain.hosts import split_app_host
from doorward_server.domain.ids import AppId, RegionName, SessionId, TokenId
from doorward_server.domain.policy import LiveSecret, PolicyApp, PolicyToken
from doorward_server.domain.sessions import Session, SessionSeals

DOMAINS = {RegionName("GRA"): "app.gra.localhost", RegionName("BHS"): "app.bhs.localhost"}
_KEY = PlatformKey("test", bytes(32))
MACS = _KEY.token_macs()
SEALS = SessionSeals(_KEY.session_key())


def live_secret(secret: Secret, *, generation: int = 1, expire_time: float | None = None) -> LiveSecret:
    """The record that replicas have of *secret*."""
    return LiveSecret(generation=generation, mac=MACS.mac(secret), expire_time=expire_time)


@dataclass(frozen=True)
class ListedPolicy:
    """Looks at every app and token, one after the other."""

    apps: Iterable[PolicyApp] = ()
    tokens: Iterable[PolicyToken] = ()
    ended: frozenset[SessionId] = frozenset()

    def app(self, app_id: AppId) -> PolicyApp | None:
        """The app with this id."""
        return next((app for app in self.apps if app.app_id == app_id), None)

    def app_at(self, host: str) -> PolicyApp | None:
        """The app with this host name, in the domain of its region."""
        if (found := split_app_host(host)) is None:
            return None
        app = self.app(found[0])
        return app if app is not None and DOMAINS[app.region] == found[1] else None

    def token(self, token_id: TokenId) -> PolicyToken | None:
        """The token with this id."""
        return next((token for token in self.tokens if token.token_id == token_id), None)

    def session(self, sealed: bytes) -> Session | None:
        """The session that was sealed."""
        return SEALS.open(sealed)

    def is_ended(self, session_id: SessionId) -> bool:
        """Whether a session was ended."""
        return session_id in self.ended

    def authenticate(self, secret: Secret) -> tuple[PolicyToken, LiveSecret] | None:
        """The token that has this secret."""
        mac = MACS.mac(secret)
        for token in self.tokens:
            for each in token.secrets:
                if token.token_id == secret.token_id and hmac.compare_digest(each.mac, mac):
                    return token, each
        return None
