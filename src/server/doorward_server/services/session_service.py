"""Use cases of browsers' sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

from doorward_server.domain.apps import App
from doorward_server.domain.errors import InvalidFieldsError, Violation
from doorward_server.domain.hosts import app_host, split_app_host
from doorward_server.domain.ids import AppId, Revision, SessionId
from doorward_server.domain.sessions import Session, SessionSeals
from doorward_server.domain.tokens import Token
from doorward_server.services.calls import Call
from doorward_server.services.clock import Clock
from doorward_server.services.errors import (
    AppNotFoundError,
    CredentialFault,
    SessionNotFoundError,
    SupersededSecretError,
    UnauthenticatedError,
)
from doorward_server.services.ports import AuditEvent, SessionRecord, Storage, UnitOfWork
from doorward_server.services.publishing import (
    PolicyUpdate,
    Publisher,
    enforce,
    enforce_what_is_committed,
)
from doorward_server.services.session_limit import SessionLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTimes:
    """How long sessions last."""

    idle: timedelta
    """Without a request."""
    max_age: timedelta
    """At the longest."""


class NewSession(NamedTuple):
    """A session that was begun."""

    record: SessionRecord
    host: str
    """The app's, without a port."""
    credential: str
    """For the browser's cookie. Kept nowhere."""


class SessionService:
    """Begins and ends sessions. The caller is the token whose sessions they are."""

    def __init__(
        self,
        *,
        storage: Storage,
        seals: SessionSeals,
        propagation: Publisher,
        clock: Clock,
        times: SessionTimes,
        limit: SessionLimit,
        region_domains: Mapping[str, str],
    ) -> None:
        """*region_domains*: name of a region to the domain of its apps."""
        self._storage = storage
        self._seals = seals
        self._propagation = propagation
        self._clock = clock
        self._times = times
        self._limit = limit
        self._region_domains = region_domains

    async def create(self, call: Call, host: str) -> NewSession:
        """Begin a session of the caller with the app at *host*.

        Raises `InvalidFieldsError`, `TooManySessionsError`, `AppNotFoundError`, `SupersededSecretError`, and
        `UnauthenticatedError` for a token that has just ended.
        """
        parts = split_app_host(host)
        if parts is None:
            raise InvalidFieldsError((Violation("host", "must be an app's host name, <app_id>.<domain>"),))
        app_id, domain = parts
        # Before the database is asked, which writes one transaction at a time.
        self._limit.take(call.actor)
        async with self._storage.write() as work:
            app = await work.apps.get(app_id)
            if app is None or not self._opens(call, app, domain):
                raise AppNotFoundError(app_id)
            token = await self._current(work, call)
            session = self._begin(token, app_id)
            await work.sessions.add(session)
            await work.audit.add(self._event(call, session))
        sealed = self._seals.seal(
            Session(
                session_id=session.session_id,
                token_id=token.token_id,
                generation=token.generation,
                app_id=app_id,
                idle_end=min(session.create_time + self._times.idle, session.expire_time).timestamp(),
                end=session.expire_time.timestamp(),
            )
        )
        return NewSession(session, app_host(app_id, domain), sealed)

    async def end(self, call: Call, session_id: SessionId) -> PolicyUpdate | None:
        """End a session of the caller, which no replica takes on return. None: it had ended before.

        Raises `SessionNotFoundError`.
        """
        async with self._storage.write() as work:
            session = await work.sessions.get(session_id)
            if session is None or session.token_id != call.actor or call.session_id not in {None, session_id}:
                raise SessionNotFoundError(session_id)
            now, revision = self._clock(), None
            if session.end_time is None and now < session.expire_time:
                await work.sessions.end(session_id, now)
                revision = await work.policy.session_ended(session_id)
                await work.audit.add(self._event(call, session, revision=revision))
        if revision is None:
            # Who repeats a call that was cut short must be able to rely on that answer, too.
            await enforce_what_is_committed(self._storage, self._propagation)
            return None
        return await enforce(self._propagation, revision)

    def _opens(self, call: Call, app: App, domain: str) -> bool:
        """Whether the app stands in that domain, and the caller may know of it."""
        return (
            self._region_domains.get(app.region) == domain
            and app.policy_entry() is not None
            and call.in_scope(app)
        )

    @staticmethod
    async def _current(work: UnitOfWork, call: Call) -> Token:
        """The caller's token as it is now, if its newest secret is still the one that was presented."""
        token = await work.tokens.get(call.actor)
        if token is None:
            raise UnauthenticatedError(CredentialFault.INVALID)
        if token.generation != call.generation:
            raise SupersededSecretError(token.token_id)
        return token

    def _begin(self, token: Token, app_id: AppId) -> SessionRecord:
        now = self._clock()
        token_end = token.end_of(token.generations[0])
        end = now + self._times.max_age
        if token_end is not None and (end := min(end, token_end)) <= now:
            raise UnauthenticatedError(CredentialFault.INVALID)
        return SessionRecord(
            session_id=SessionId(str(uuid4())),
            token_id=token.token_id,
            app_id=app_id,
            create_time=now,
            expire_time=_to_the_millisecond(end),
        )

    def _event(self, call: Call, session: SessionRecord, *, revision: Revision | None = None) -> AuditEvent:
        return AuditEvent(
            time=self._clock(),
            actor=call.actor,
            action=call.action,
            resource_type="session",
            resource_id=session.session_id,
            request_id=call.request_id,
            revision=revision,
            details={"app_id": session.app_id, "expire_time": session.expire_time.isoformat()},
        )


def _to_the_millisecond(time: datetime) -> datetime:
    """Rounded down, as the cookie has it."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
