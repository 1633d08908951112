"""Who makes a call, by the token or the session that it carries."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from doorward_server.domain.credentials import Secret
from doorward_server.domain.ids import SessionId
from doorward_server.domain.presented import find_credential
from doorward_server.domain.sessions import ConsoleSeals, ConsoleSession, Session, SessionSeals
from doorward_server.domain.tokens import Token
from doorward_server.services.clock import Clock
from doorward_server.services.errors import CredentialFault, UnauthenticatedError
from doorward_server.services.minting import Mint
from doorward_server.services.ports import Storage, StorageUnavailableError, UnitOfWork
from doorward_server.services.publishing import Publisher

_USE_GRANULARITY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Whose call it is, and by which of the token's secrets."""

    token: Token
    generation: int
    """The number of the secret that was presented."""
    session_id: SessionId | None = None
    """The session that was presented in its place."""
    renewed: str | None = field(default=None, repr=False)
    """The session's credential with a later end, when it is time for that."""


class Authenticator:
    """Finds the token that a call carries."""

    def __init__(
        self,
        *,
        storage: Storage,
        mint: Mint,
        seals: SessionSeals,
        console_seals: ConsoleSeals,
        session_idle: timedelta,
        propagation: Publisher,
        clock: Clock,
    ) -> None:
        """*session_idle*: how long a session lasts without a request."""
        self._storage = storage
        self._mint = mint
        self._seals = seals
        self._console_seals = console_seals
        self._session_idle = session_idle.total_seconds()
        self._propagation = propagation
        self._clock = clock

    async def authenticate(
        self, authorization: Sequence[bytes], doorward_token: Sequence[bytes]
    ) -> Authenticated:
        """The live token that the raw values of the two headers present.

        The same rules as for requests to apps (`doorward_server.domain.presented`). Raises
        `UnauthenticatedError`, and `HashingQueueFullError` after the platform key was rotated.
        """
        presented = find_credential(authorization, doorward_token).secret
        if presented is None:
            # A Bearer of another system is none of ours, but here no app is behind us that it could be for.
            raise UnauthenticatedError(
                CredentialFault.MALFORMED if authorization else CredentialFault.MISSING
            )
        if not isinstance(presented, Secret):
            raise UnauthenticatedError(CredentialFault.MALFORMED)
        return await self._authenticate(presented)

    async def authenticate_session(self, sealed: bytes) -> Authenticated:
        """The token of a session of either kind, by its credential; raises `UnauthenticatedError`.

        For ending it, so one that was ended or has been idle counts too: a copy of its cookie may be in use.
        """
        session = self._seals.open(sealed) or self._console_seals.open(sealed)
        if session is None or session.end <= self._clock().timestamp():
            raise UnauthenticatedError(CredentialFault.INVALID)
        async with self._storage.read() as work:
            token = await self._token_of(work, session)
        return Authenticated(token, session.generation, session.session_id)

    async def authenticate_console(self, sealed: bytes) -> Authenticated:
        """The token of a live session with the console, by its credential; raises `UnauthenticatedError`."""
        session = self._console_seals.open(sealed)
        now = self._clock()
        if session is None or not session.live(now.timestamp()):
            raise UnauthenticatedError(CredentialFault.INVALID)
        async with self._storage.read() as work:
            token = await self._token_of(work, session)
            record = await work.sessions.get(session.session_id)
        if record is None or record.end_time is not None:
            raise UnauthenticatedError(CredentialFault.INVALID)
        await self._touch(token, now)
        return Authenticated(token, session.generation, session.session_id, self._renewed(session, now))

    async def _token_of(self, work: UnitOfWork, session: Session | ConsoleSession) -> Token:
        token = await work.tokens.get(session.token_id)
        if token is None or token.generation != session.generation or token.expired(self._clock()):
            raise UnauthenticatedError(CredentialFault.INVALID)
        return token

    def _renewed(self, session: ConsoleSession, now: datetime) -> str | None:
        due = session.renew_time(self._session_idle)
        if due is None or now.timestamp() < due:
            return None
        return self._console_seals.seal(session.renewed(now.timestamp(), self._session_idle))

    async def _authenticate(self, secret: Secret) -> Authenticated:
        async with self._storage.read() as work:
            token = await work.tokens.get(secret.token_id)
        if token is None:
            raise UnauthenticatedError(CredentialFault.INVALID)
        generation = self._mint.recognise(secret, token)
        if generation is None:
            token = await self._adopt(secret, token)
            generation = self._mint.recognise(secret, token)
        now = self._clock()
        if generation is None or ((end := token.end_of(generation)) is not None and end <= now):
            raise UnauthenticatedError(CredentialFault.INVALID)
        await self._touch(token, now)
        return Authenticated(token, generation.number)

    async def _touch(self, token: Token, now: datetime) -> None:
        if token.last_used_time is None or now - token.last_used_time >= _USE_GRANULARITY:
            # A full disk must not keep an operator from looking at what is there.
            with suppress(StorageUnavailableError):
                async with self._storage.write() as work:
                    await work.tokens.touch({token.token_id: now})

    async def _adopt(self, secret: Secret, token: Token) -> Token:
        """Store the MAC of a secret that was last seen under a former platform key."""
        adopted = await self._mint.adopt(secret, token)
        if adopted is None:
            raise UnauthenticatedError(CredentialFault.INVALID)
        async with self._storage.write() as work:
            current = await work.tokens.get(token.token_id)
            if current is None or current.version != token.version:
                raise UnauthenticatedError(CredentialFault.INVALID)
            await work.tokens.save(replace(current, generations=adopted.generations))
            revision = await work.policy.token_changed(token.token_id)
        self._propagation.announce(revision)
        return adopted
