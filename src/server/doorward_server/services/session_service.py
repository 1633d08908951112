"""Use cases of browsers' sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

from doorward_server.domain.apps import App
from doorward_server.domain.errors import InvalidFieldsError, Violation
from doorward_server.domain.hosts import app_host, plain_host, split_app_host
from doorward_server.domain.ids import AppId, Revision, SessionId
from doorward_server.domain.sessions import ConsoleSeals, ConsoleSession, Session, SessionSeals
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
from doorward_server.services.signals import Signals


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
    """The app's or the console's, without a port."""
    credential: str
    """For the browser's cookie. Kept nowhere."""


class SessionService:
    """Begins and ends sessions. The caller is the token whose sessions they are."""

    def __init__(
        self,
        *,
        storage: Storage,
        seals: SessionSeals,
        console_seals: ConsoleSeals,
        propagation: Publisher,
        signals: Signals,
        clock: Clock,
        times: SessionTimes,
        limit: SessionLimit,
        console_host: str,
        region_domains: Mapping[str, str],
    ) -> None:
        """*region_domains*: name of a region to the domain of its apps."""
        self._storage = storage
        self._seals = seals
        self._console_seals = console_seals
        self._propagation = propagation
        self._signals = signals
        self._clock = clock
        self._times = times
        self._limit = limit
        self._console_host = console_host
        self._region_domains = region_domains

    async def create(self, call: Call, host: str) -> NewSession:
        """Begin a session of the caller with the app at *host*, or with the console if that is its host.

        Raises `InvalidFieldsError`, `TooManySessionsError`, `AppNotFoundError`, `SupersededSecretError`, and
        `UnauthenticatedError` for a token that has just ended.
        """
        if plain_host(host) == self._console_host:
            return await self._create_for_console(call)
        parts = split_app_host(host)
        if parts is None:
            rule = "must be an app's host name, <app_id>.<domain>, or the console's"
            raise InvalidFieldsError((Violation("host", rule),))
        app_id, domain = parts
        # Before the database is asked, which writes one transaction at a time.
        self._limit.take(call.actor)
        async with self._storage.write() as work:
            app = await work.apps.get(app_id)
            if app is None or not self._opens(call, app, domain):
                raise AppNotFoundError(app_id)
            token, session = await self._begin(work, call, app_id)
        sealed = self._seals.seal(
            Session(
                session_id=session.session_id,
                token_id=token.token_id,
                generation=token.generation,
                app_id=app_id,
                idle_end=self._idle_end(session),
                end=session.expire_time.timestamp(),
            )
        )
        return NewSession(session, app_host(app_id, domain), sealed)

    async def _create_for_console(self, call: Call) -> NewSession:
        self._limit.take(call.actor)
        async with self._storage.write() as work:
            token, session = await self._begin(work, call, None)
        sealed = self._console_seals.seal(
            ConsoleSession(
                session_id=session.session_id,
                token_id=token.token_id,
                generation=token.generation,
                idle_end=self._idle_end(session),
                end=session.expire_time.timestamp(),
            )
        )
        return NewSession(session, self._console_host, sealed)

    async def end(self, call: Call, session_id: SessionId) -> PolicyUpdate | None:
        """End a session of the caller, which nothing takes on return.

        None: it had ended before, or is the console's, of which no replica knows. Raises
        `SessionNotFoundError`.
        """
        async with self._storage.write() as work:
            session = await work.sessions.get(session_id)
            if session is None or session.token_id != call.actor or call.session_id not in {None, session_id}:
                raise SessionNotFoundError(session_id)
            now, revision = self._clock(), None
            if session.end_time is None and now < session.expire_time:
                await work.sessions.end(session_id, now)
                if session.app_id is not None:
                    revision = await work.policy.session_ended(session_id)
                await work.audit.add(self._event(call, session, revision=revision))
        self._signals.notify(session_id)
        if session.app_id is None:
            return None
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

    async def _begin(self, work: UnitOfWork, call: Call, app_id: AppId | None) -> tuple[Token, SessionRecord]:
        token = await self._current(work, call)
        now = self._clock()
        token_end = token.end_of(token.generations[0])
        end = now + self._times.max_age
        if token_end is not None and (end := min(end, token_end)) <= now:
            raise UnauthenticatedError(CredentialFault.INVALID)
        session = SessionRecord(
            session_id=SessionId(str(uuid4())),
            token_id=token.token_id,
            app_id=app_id,
            create_time=now,
            expire_time=_to_the_millisecond(end),
        )
        await work.sessions.add(session)
        await work.audit.add(self._event(call, session))
        return token, session

    def _idle_end(self, session: SessionRecord) -> float:
        return min(session.create_time + self._times.idle, session.expire_time).timestamp()

    def _event(self, call: Call, session: SessionRecord, *, revision: Revision | None = None) -> AuditEvent:
        return AuditEvent(
            time=self._clock(),
            actor=call.actor,
            action=call.action,
            resource_type="session",
            resource_id=session.session_id,
            request_id=call.request_id,
            revision=revision,
            details={
                **({"host": self._console_host} if session.app_id is None else {"app_id": session.app_id}),
                "expire_time": session.expire_time.isoformat(),
            },
        )


def _to_the_millisecond(time: datetime) -> datetime:
    """Rounded down, as the cookie has it."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
