"""The guard in front of the servicers: who calls, and whether their role permits it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final, Protocol

from doorward_server.domain.presented import AUTHORIZATION, DOORWARD_TOKEN
from doorward_server.rpc.calls import CallState, Context, authorized
from doorward_server.services.authentication import Authenticated
from doorward_server.services.calls import REQUIRED_ROLES, authorize

PUBLIC_PACKAGE: Final = "/doorward.v1."
"""What the methods of the public API begin with. Each needs a token."""

EXEMPT_SERVICES: Final = frozenset(
    {
        # For probes and tools, which have no token; neither tells what is kept here.
        "/grpc.health.v1.Health",
        "/grpc.reflection.v1alpha.ServerReflection",
        # Has its own key, which replicas hold and nobody else.
        "/doorward.policy.v1.PolicyService",
    }
)
"""The services that this guard lets through."""


DOORWARD_SESSION: Final = "doorward-session"
"""The metadata of a session's credential, in place of a token, and of the renewed one in an answer."""

OPEN_TO_SESSIONS: Final = frozenset({"DeleteSession"})
"""What may be called with any session: ending it. Those with apps are for nothing else of the API."""

CLOSED_TO_SESSIONS: Final = frozenset({"CreateSession"})
"""What may be called with none, the console's included: it opens no app, and begets no session."""


class Authenticates(Protocol):
    """Finds out who calls (`doorward_server.services.authentication.Authenticator`)."""

    async def authenticate(
        self, authorization: list[bytes], doorward_token: list[bytes]
    ) -> Authenticated: ...
    async def authenticate_session(self, sealed: bytes) -> Authenticated: ...
    async def authenticate_console(self, sealed: bytes) -> Authenticated: ...


class Guard:
    """Lets a call through when its token is live and has the role for it."""

    def __init__(self, authenticator: Authenticates) -> None:
        self._authenticator = authenticator

    @asynccontextmanager
    async def layer(self, state: CallState, context: Context) -> AsyncIterator[None]:
        """Authenticate and authorize, before anything looks at the request."""
        if not is_exempt(state.method):
            found = await self._caller(state, context.invocation_metadata() or ())
            authorized(
                authorize(
                    state.name,
                    found.token,
                    request_id=state.request_id,
                    generation=found.generation,
                    session_id=found.session_id,
                )
            )
            if found.renewed is not None:
                state.initial_metadata.append((DOORWARD_SESSION, found.renewed))
        yield

    async def _caller(self, state: CallState, metadata: Iterable[tuple[str, str | bytes]]) -> Authenticated:
        metadata = tuple(metadata)
        authorization, doorward_token = _values(metadata, AUTHORIZATION), _values(metadata, DOORWARD_TOKEN)
        sessions = _values(metadata, DOORWARD_SESSION)
        if len(sessions) == 1 and not (authorization or doorward_token):
            if state.name in OPEN_TO_SESSIONS:
                return await self._authenticator.authenticate_session(sessions[0])
            if state.name not in CLOSED_TO_SESSIONS:
                return await self._authenticator.authenticate_console(sessions[0])
        return await self._authenticator.authenticate(authorization, doorward_token)


def is_exempt(method: str) -> bool:
    """Whether a method needs no token. Raises `UnguardedMethodError` for one that nobody thought of."""
    service, _, name = method.rpartition("/")
    if service in EXEMPT_SERVICES:
        return True
    if method.startswith(PUBLIC_PACKAGE) and name in REQUIRED_ROLES:
        return False
    raise UnguardedMethodError(method)


class UnguardedMethodError(Exception):
    """A method is served that is in no table of who may call it; nobody may."""


def _values(metadata: Iterable[tuple[str, str | bytes]], key: str) -> list[bytes]:
    return [value.encode() if isinstance(value, str) else value for name, value in metadata if name == key]
