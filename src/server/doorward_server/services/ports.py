"""What the use cases ask of storage. `doorward_server.storage` implements it, tests may fake it."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NamedTuple, Protocol

from doorward_server.domain.apps import App, AppState
from doorward_server.domain.ids import AppId, RegionName, Revision, SessionId, TokenId
from doorward_server.domain.policy import EndedSession, PolicyApp
from doorward_server.domain.selectors import Selector
from doorward_server.domain.tokens import Token


class StorageUnavailableError(Exception):
    """The database cannot be reached, is locked, read-only or full. Nothing was changed."""


class StorageSettingError(ValueError):
    """What is set cannot name a database. The text never repeats it: it may hold a password."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a list that is ordered newest first: the last entry of the page before."""

    time: datetime
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFilter:
    """Which apps to list. All conditions must hold; each is optional."""

    region: RegionName | None = None
    states: frozenset[AppState] = frozenset()
    selectors: tuple[Selector, ...] = ()
    """Every one must match: the caller's scope and the caller's filter, for example."""


class AppRepository(Protocol):
    """The apps."""

    async def get(self, app_id: AppId) -> App | None:
        """One app. In a writing unit of work its row stays locked until the end."""
        ...

    async def add(self, app: App) -> None:
        """Store a new app."""
        ...

    async def save(self, app: App) -> None:
        """Store the present values of an app that exists."""
        ...

    async def remove(self, app_id: AppId) -> None:
        """Remove an app."""
        ...

    async def page(self, which: AppFilter, *, after: Position | None, limit: int) -> Sequence[App]:
        """At most *limit* apps, newest first (`create_time`, then `app_id`, both descending).

        SQL may narrow by selector; the domain's evaluator decides.
        """
        ...

    async def in_states(self, states: Collection[AppState]) -> Sequence[App]:
        """All apps in one of *states*."""
        ...


class TokenRepository(Protocol):
    """The tokens."""

    async def get(self, token_id: TokenId) -> Token | None:
        """One token. In a writing unit of work its row stays locked until the end."""
        ...

    async def add(self, token: Token) -> None:
        """Store a new token."""
        ...

    async def save(self, token: Token) -> None:
        """Store the present values of a token that exists, `last_used_time` aside."""
        ...

    async def remove(self, token_id: TokenId) -> None:
        """Remove a token with its secrets."""
        ...

    async def page(self, *, after: Position | None, limit: int) -> Sequence[Token]:
        """At most *limit* tokens, newest first (`create_time`, then `token_id`, both descending)."""
        ...

    async def live_admins(self, now: datetime) -> int:
        """How many ADMIN tokens have not expired. In a writing unit of work it stays so until the end."""
        ...

    async def touch(self, used: Mapping[TokenId, datetime]) -> None:
        """Move `last_used_time` forward; unknown ids are passed over. Changes neither version nor policy."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A session that was begun. When it was last used is known to its cookie alone."""

    session_id: SessionId
    token_id: TokenId
    app_id: AppId | None
    """None: it is the console's."""
    create_time: datetime
    expire_time: datetime
    """When it ends at the latest."""
    end_time: datetime | None = None
    """When it was ended before that."""


class SessionRepository(Protocol):
    """The sessions of the last hours."""

    async def get(self, session_id: SessionId) -> SessionRecord | None:
        """One session. In a writing unit of work its row stays locked until the end."""
        ...

    async def add(self, session: SessionRecord) -> None:
        """Store a new session; those that have ended by themselves long ago are forgotten."""
        ...

    async def end(self, session_id: SessionId, at: datetime) -> None:
        """Note when a session was ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One change that somebody made. Never holds a secret."""

    event_id: int = 0
    """Chosen by storage."""
    time: datetime
    actor: TokenId | None
    """None: the platform itself."""
    action: str
    """The name of the RPC, such as `RegenerateToken`, or of the platform's own act."""
    resource_type: str
    """`app`, `token` or `session`."""
    resource_id: str
    request_id: str
    revision: Revision | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    """What changed, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which events to list. All conditions must hold; each is optional."""

    actor: TokenId | None = None
    action: str | None = None
    resource_id: str | None = None
    start_time: datetime | None = None
    """Inclusive."""
    end_time: datetime | None = None
    """Exclusive."""


class AuditLog(Protocol):
    """Who did what."""

    async def add(self, event: AuditEvent) -> None:
        """Write an event, in the transaction that it describes."""
        ...

    async def page(self, which: AuditFilter, *, before: int | None, limit: int) -> Sequence[AuditEvent]:
        """At most *limit* events with an id under *before*, newest first."""
        ...


class EntryKind(Enum):
    """What an entry of the policy is about."""

    APP = "an app"
    TOKEN = "a token"  # noqa: S105 - a word
    SESSION = "a session that was ended"


@dataclass(frozen=True, slots=True)
class Change:
    """Which entry of the policy a revision changed."""

    revision: Revision
    entry: AppId | TokenId | SessionId
    kind: EntryKind


@dataclass(frozen=True, slots=True)
class PolicyHead:
    """Which policy this is, and how far it has come."""

    policy_id: str
    """A UUID made with the database."""
    revision: Revision


class SecretRow(NamedTuple):
    """A token and one of its secrets as they are stored, for a snapshot has a million of them."""

    token_id: TokenId
    role: str
    """The role's name."""
    region: RegionName | None
    label_selector: str | None
    """In its canonical text."""
    token_expire_time: datetime | None
    generation: int | None
    """None: the token has no secret, as have the fields that follow."""
    mac: bytes | None
    secret_expire_time: datetime | None


class PolicyLog(Protocol):
    """The policy's revisions, and what replicas are told."""

    async def app_changed(self, app_id: AppId) -> Revision:
        """Number a change of an app. Changes commit in the order of their revisions, without gaps."""
        ...

    async def token_changed(self, token_id: TokenId) -> Revision:
        """Number a change of a token. Changes commit in the order of their revisions, without gaps."""
        ...

    async def session_ended(self, session_id: SessionId) -> Revision:
        """Number the end of a session. Changes commit in the order of their revisions, without gaps."""
        ...

    async def head(self) -> PolicyHead:
        """The policy and its last revision."""
        ...

    async def since(self, revision: Revision, *, limit: int) -> Sequence[Change] | None:
        """At most *limit* changes after *revision*, oldest first; None when they are no longer kept."""
        ...

    def apps(self, region: RegionName | None) -> AsyncIterator[Sequence[PolicyApp]]:
        """Every app's entry, in one region or in all. These three tell each entry once, some at a time."""
        ...

    def tokens(self, region: RegionName | None, *, mac_key_id: str) -> AsyncIterator[Sequence[SecretRow]]:
        """Every token with its secrets under one platform key, newest first, each token within one batch.

        Those of a region and those of every region, or all.
        """
        ...

    def ended_sessions(self) -> AsyncIterator[Sequence[EndedSession]]:
        """The sessions with apps that were ended before their time, for as long as they are kept."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRequest:
    """A create that was carried out, so that a repeat of it can be answered."""

    caller: TokenId
    request_id: str
    digest: bytes
    """Of the method and the whole request: a repeat has the same."""
    resource_id: str
    time: datetime


class PastRequests(Protocol):
    """The creates of the last days that had a request id."""

    async def find(self, caller: TokenId, request_id: str) -> PastRequest | None:
        """The create with this id, by this caller."""
        ...

    async def add(self, request: PastRequest) -> None:
        """Remember a create; those older than a week are forgotten."""
        ...


class ReplicaRepository(Protocol):
    """The replicas that may hold a lease, so that a restarted server knows whom to wait for."""

    async def add(self, replica_id: str) -> None:
        """Remember a replica; one that is known stays."""
        ...

    async def remove(self, replica_id: str) -> None:
        """Forget a replica."""
        ...

    async def all(self) -> Sequence[str]:
        """Every replica that is remembered."""
        ...


class UnitOfWork(Protocol):
    """One transaction."""

    apps: AppRepository
    tokens: TokenRepository
    sessions: SessionRepository
    audit: AuditLog
    policy: PolicyLog
    past_requests: PastRequests
    replicas: ReplicaRepository


class Storage(Protocol):
    """Where everything is kept. Every method raises `StorageUnavailableError` when it cannot do its work."""

    def write(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A transaction that commits when the block ends, and rolls back when it raises."""
        ...

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A consistent view that writes nothing."""
        ...
