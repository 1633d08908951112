"""A policy held in two lists: the simplest thing that a decision can look things up in."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from doorward_server.domain.credentials import PlatformKey, Secret
from doorward_server.domain.hosts import split_app_host
from doorward_server.domain.ids import AppId, RegionName
from doorward_server.domain.policy import LiveSecret, PolicyApp, PolicyToken

DOMAINS = {RegionName("GRA"): "app.gra.localhost", RegionName("BHS"): "app.bhs.localhost"}
MACS = PlatformKey("test", bytes(32)).token_macs()


def live_secret(secret: Secret, *, generation: int = 1, expire_time: float | None = None) -> LiveSecret:
    """The record that replicas have of *secret*."""
    return LiveSecret(generation=generation, mac=MACS.mac(secret), expire_time=expire_time)


@dataclass(frozen=True)
class ListedPolicy:
    """Looks at every app and token, one after the other."""

    apps: Iterable[PolicyApp] = ()
    tokens: Iterable[PolicyToken] = ()

    def app(self, app_id: AppId) -> PolicyApp | None:
        """The app with this id."""
        return next((app for app in self.apps if app.app_id == app_id), None)

    def app_at(self, host: str) -> PolicyApp | None:
        """The app with this host name, in the domain of its region."""
        if (found := split_app_host(host)) is None:
            return None
        app = self.app(found[0])
        return app if app is not None and DOMAINS[app.region] == found[1] else None

    def authenticate(self, secret: Secret) -> tuple[PolicyToken, LiveSecret] | None:
        """The token that has this secret."""
        mac = MACS.mac(secret)
        for token in self.tokens:
            for each in token.secrets:
                if token.token_id == secret.token_id and hmac.compare_digest(each.mac, mac):
                    return token, each
        return None
