"""Sessions of browsers: what `client.sessions` offers."""

from dataclasses import dataclass, field

from doorward._calls import Calls
from doorward._timeouts import Timeout
from doorward.v1.session_service_pb2 import (
    CreateSessionRequest,
    DeleteSessionRequest,
    DeleteSessionResponse,
    Session,
)
from doorward.v1.session_service_pb2_grpc import SessionServiceStub


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session and its credential, which no later call answers. Its `repr` leaves the credential out."""

    session: Session
    credential: str = field(repr=False)
    """The value of the browser's cookie `__Host-doorward`."""


class Sessions:
    """Sessions of the token that the client uses, each with one app."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stub = SessionServiceStub(calls.channel)

    def create(self, host: str, *, timeout: Timeout = None) -> NewSession:
        """Begin a session with the app at *host*, the one of the app's URL.

        Raises `NotFound` for an app that the token does not open, and `FailedPrecondition` when the client
        has a secret that was replaced and is in its grace period.
        """
        answer = self._calls.unary(self._stub.CreateSession, CreateSessionRequest(host=host), timeout)
        return NewSession(session=answer.session, credential=answer.credential)

    def delete(self, session_id: str, *, timeout: Timeout = None) -> DeleteSessionResponse:
        """End a session, which no replica takes any more when this returns. Raises `NotFound`."""
        request = DeleteSessionRequest(session_id=session_id)
        return self._calls.enforced(self._stub.DeleteSession, request, timeout)
