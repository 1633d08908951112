"""What the pages ask of api, as a gRPC client like any other."""

import asyncio
from enum import Enum
from typing import Final, Protocol

import grpc

from doorward.v1 import session_service_pb2 as pb
from doorward.v1.session_service_pb2_grpc import SessionServiceStub
from doorward_server.domain.credentials import Secret
from doorward_server.domain.sessions import session_id_of

_SECONDS: Final = 10.0
_ENDING_SECONDS: Final = 60.0
"""Ending a session waits for every replica, for as long as the policy's lease."""
_AT_ONCE: Final = 16
_TURN_SECONDS: Final = 3.0
"""How long a login waits for its turn when there are many."""


class Refusal(Enum):
    """Why a token does not log in."""

    WRONG = "no live token has this secret"
    OUT_OF_SCOPE = "the token opens no app at this host"
    SUPERSEDED = "the token has a newer secret"
    TOO_MANY = "the token begins too many sessions"
    UNAVAILABLE = "api does not answer, or has too much to do"


class Logins(Protocol):
    """Begins and ends sessions."""

    async def begin(self, secret: Secret, host: str) -> str | Refusal:
        """A new session with the app at *host*: its credential."""
        ...

    async def end(self, sealed: bytes) -> bool:
        """End a session everywhere; false: that cannot be said."""
        ...


_REFUSALS: Final = {
    grpc.StatusCode.UNAUTHENTICATED: Refusal.WRONG,
    grpc.StatusCode.NOT_FOUND: Refusal.OUT_OF_SCOPE,
    grpc.StatusCode.FAILED_PRECONDITION: Refusal.SUPERSEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Refusal.TOO_MANY,
}


class ApiLogins:
    """Implements `Logins`. Close the channel when done."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = SessionServiceStub(channel)
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def begin(self, secret: Secret, host: str) -> str | Refusal:
        try:
            await asyncio.wait_for(self._turns.acquire(), _TURN_SECONDS)
        except TimeoutError:
            return Refusal.UNAVAILABLE
        try:
            answer = await self._stub.CreateSession(
                pb.CreateSessionRequest(host=host),
                metadata=(("authorization", f"Bearer {secret.reveal()}"),),
                timeout=_SECONDS,
            )
        except grpc.aio.AioRpcError as error:
            return _REFUSALS.get(error.code(), Refusal.UNAVAILABLE)
        finally:
            self._turns.release()
        return answer.credential

    async def end(self, sealed: bytes) -> bool:
        session_id = session_id_of(sealed)
        if session_id is None:
            # It never opened anything.
            return True
        try:
            await self._stub.DeleteSession(
                pb.DeleteSessionRequest(session_id=session_id),
                metadata=(("doorward-session", sealed.decode("ascii")),),
                timeout=_ENDING_SECONDS,
            )
        except grpc.aio.AioRpcError as error:
            # Neither of the two opens anything any more.
            return error.code() in {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.NOT_FOUND}
        return True
