"""The policy: what a decision needs to know, and nothing else.

The control plane makes it from its apps and tokens and writes it; check replicas hold it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from doorward_server.domain.credentials import Secret
from doorward_server.domain.ids import AppId, RegionName, SessionId, TokenId
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import Selector
from doorward_server.domain.sessions import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where Envoy reaches an app."""

    host: str
    """A DNS name or an IP address, without brackets."""
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyApp:
    """What a decision needs to know of an app."""

    app_id: AppId
    region: RegionName
    labels: Mapping[str, str]
    """The app's labels, the platform's own included."""
    public: bool = False
    """Whether everybody may use it."""
    operator_paths: tuple[str, ...] = ()
    """Path prefixes that need OPERATOR."""
    cors_preflight: bool = False
    """Whether CORS preflight requests pass without a credential."""
    upstream: Address | None = None
    """Where Envoy reaches it; None when it does not serve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSecret:
    """One secret of a token that may still work."""

    generation: int
    mac: bytes
    """The keyed BLAKE2b-256 of the whole secret, 32 bytes."""
    expire_time: float | None = None
    """When it stops to work, in seconds since 1970. None: never."""

    def live(self, now: float) -> bool:
        """Whether it works at *now*, in seconds since 1970."""
        return self.expire_time is None or now < self.expire_time


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyToken:
    """What a decision needs to know of a token."""

    token_id: TokenId
    role: Role
    region: RegionName | None = None
    """None: every region."""
    selector: Selector | None = None
    """None: every app of the region."""
    secrets: tuple[LiveSecret, ...] = ()
    """Newest first."""

    def opens_region(self, region: RegionName) -> bool:
        """Whether apps of *region* may be in scope."""
        return self.region is None or self.region == region

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether an app with *labels* is in scope, region aside."""
        return self.selector is None or self.selector.matches(labels)

    def in_scope(self, region: RegionName, labels: Mapping[str, str]) -> bool:
        """Whether an app of *region* with *labels* is in scope."""
        return self.opens_region(region) and self.selects(labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedSession:
    """A session that was ended before its time."""

    session_id: SessionId
    expire_time: float
    """When it would have ended by itself at the latest, in seconds since 1970."""


class PolicyView(Protocol):
    """What a decision looks things up in."""

    def app(self, app_id: AppId) -> PolicyApp | None:
        """The app with this id."""
        ...

    def app_at(self, host: str) -> PolicyApp | None:
        """The app with this host name, as sent in a request: any case, with or without a port."""
        ...

    def token(self, token_id: TokenId) -> PolicyToken | None:
        """The token with this id."""
        ...

    def session(self, sealed: bytes) -> Session | None:
        """The session that was sealed, if it was under this platform's key; live or not."""
        ...

    def is_ended(self, session_id: SessionId) -> bool:
        """Whether a session was ended before its time."""
        ...

    def authenticate(self, secret: Secret) -> tuple[PolicyToken, LiveSecret] | None:
        """The token that has this secret, expired or not, digests compared in constant time."""
        ...
