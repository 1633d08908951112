"""Who makes a call, by the token or the session that it carries."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from doorward_server.domain.credentials import Secret
from doorward_server.domain.ids import SessionId
from doorward_server.domain.presented import find_credential
from doorward_server.domain.sessions import SessionSeals
from doorward_server.domain.tokens import Token
from doorward_server.services.clock import Clock
from doorward_server.services.errors import CredentialFault, UnauthenticatedError
from doorward_server.services.minting import Mint
from doorward_server.services.ports import Storage, StorageUnavailableError
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


class Authenticator:
    """Finds the token that a call carries."""

    def __init__(
        self, *, storage: Storage, mint: Mint, seals: SessionSeals, propagation: Publisher, clock: Clock
    ) -> None:
        self._storage = storage
        self._mint = mint
        self._seals = seals
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
        """The token of a session, by the session's credential; raises `UnauthenticatedError`.

        For ending it, so one that was ended or has been idle counts too: a copy of its cookie may be in use.
        """
        session = self._seals.open(sealed)
        if session is None:
            raise UnauthenticatedError(CredentialFault.INVALID)
        async with self._storage.read() as work:
            token = await work.tokens.get(session.token_id)
        now = self._clock()
        if (
            token is None
            or token.generation != session.generation
            or token.expired(now)
            or session.end <= now.timestamp()
        ):
            raise UnauthenticatedError(CredentialFault.INVALID)
        return Authenticated(token, session.generation, session.session_id)

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
        if token.last_used_time is None or now - token.last_used_time >= _USE_GRANULARITY:
            # A full disk must not keep an operator from looking at what is there.
            with suppress(StorageUnavailableError):
                async with self._storage.write() as work:
                    await work.tokens.touch({token.token_id: now})
        return Authenticated(token, generation.number)

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
