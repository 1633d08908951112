"""What the kit needs to know of the setup that it examines.

Four apps stand behind the gateway, and the kit plays all of them: the gateway routes to where they listen.

- `mine`: the token opens it;
- `guarded`: the token opens it, but for `/admin` and what lies below, which needs the operator's token;
- `other`: neither opens it;
- `public`: needs no token. A setup may have none.

And there are four secrets: `token`; `operator`, which opens what the token opens, and `/admin`; `stranger`,
which opens `other` alone; and `dead`, which opened `mine` once and was revoked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from tests.e2e.conformance.app import KitApp

APPS: Final = ("mine", "guarded", "other", "public")
"""The roles of apps. The last one may be missing."""

SECRETS: Final = ("token", "operator", "stranger", "dead")
"""The roles of secrets."""

FLEETING: Final = "fleeting"
"""The role of a secret that is made for one case and revoked in it; it opens what the token opens."""

HTTP2: Final = "http2"
"""What a case over HTTP/2 needs."""

OUTAGE: Final = "outage"
"""What a case needs in which the check does not answer."""

Identity = Mapping[str, str | None]
"""Headers by which an app is told who calls, in lower case; None stands for any one value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetApp:
    """An app behind the gateway."""

    host: str
    """The authority that means it, with the gateway's port if it needs one: `<label>.<parent>[:<port>]`."""
    app: KitApp
    """What answers there."""
    identity: Identity = field(default_factory=dict)
    """The headers that every request to it carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSecret:
    """A secret, and whom it tells the app about."""

    secret: str = field(repr=False)
    identity: Identity = field(default_factory=dict)


class Tokens(Protocol):
    """Makes and revokes secrets, for the cases about revocation."""

    def mint(self) -> TargetSecret:
        """A new secret that opens what the token opens."""
        ...

    def revoke(self, secret: str) -> None:
        """Revoke it. When this returns, it opens nothing any more."""
        ...


class Check(Protocol):
    """Whatever the gateway asks, for the cases in which it does not answer."""

    def pause(self) -> None:
        """Let it answer nothing any more."""
        ...

    def resume(self) -> None:
        """Let it answer again; it may take a while until the gateway has noticed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A setup to be examined."""

    address: tuple[str, int]
    """Where the gateway listens, for HTTP/1.1 and HTTP/2 without TLS."""
    identity_prefix: str
    """What the names of identity headers begin with, such as `x-doorward`; a hyphen follows."""
    apps: Mapping[str, TargetApp]
    """By role."""
    secrets: Mapping[str, TargetSecret]
    """By role."""
    http2: bool = True
    """Whether it speaks HTTP/2."""
    token_header: str | None = None
    """A header for the bare secret, beside `Authorization`."""
    reserved_path: str | None = None
    """A path on every app's host that belongs to the gateway."""
    exact: bool = False
    """Whether a refusal must have just the status that Doorward gives it; otherwise any refusal will do."""
    tokens: Tokens | None = None
    check: Check | None = None
    websocket_seconds: float = 0.0
    """How long a WebSocket may outlive its token at the most."""

    def values(self) -> dict[str, str]:
        """What placeholders stand for (see `template`)."""
        found = {"identity": self.identity_prefix}
        found |= {role: secret.secret for role, secret in self.secrets.items()}
        for role, app in self.apps.items():
            name = app.host.partition(":")[0]
            label, _, parent = name.partition(".")
            found |= {role: app.host, f"{role}-name": name, f"{role}-label": label, f"{role}-parent": parent}
        if self.token_header is not None:
            found["token-header"] = self.token_header
        if self.reserved_path is not None:
            found["reserved-path"] = self.reserved_path
            found["reserved-name"] = self.reserved_path.removeprefix("/")
        return found

    def facts(self) -> frozenset[str]:
        """The names of all that a case may need."""
        able = {FLEETING: self.tokens is not None, OUTAGE: self.check is not None, HTTP2: self.http2}
        return frozenset(self.values()) | {name for name, has in able.items() if has}
