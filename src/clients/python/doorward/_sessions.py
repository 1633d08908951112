"""Sessions of browsers: what `client.sessions` offers."""

from dataclasses import dataclass, field

from doorward._described import call, enforced, whole
from doorward._operations import Awaiting, Blocking, Operation, Part, operation
from doorward._timeouts import Timeout
from doorward.v1.session_service_pb2 import (
    CreateSessionRequest,
    CreateSessionResponse,
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


class SessionMethods(Part):
    """Sessions of the token that the client uses, each with one app."""

    @property
    def _stub(self) -> SessionServiceStub:
        return self._calls.stub(SessionServiceStub)

    @operation
    def create(self, host: str, *, timeout: Timeout = None) -> Operation[NewSession]:
        """Begin a session with the app at *host*, the one of the app's URL.

        Raises `NotFound` for an app that the token does not open, and `FailedPrecondition` when the client
        has a secret that was replaced and is in its grace period.
        """
        return call(self._stub.CreateSession, CreateSessionRequest(host=host), timeout, answer=_begun)

    @operation
    def delete(self, session_id: str, *, timeout: Timeout = None) -> Operation[DeleteSessionResponse]:
        """End a session, which no replica takes any more when this returns. Raises `NotFound`."""
        request = DeleteSessionRequest(session_id=session_id)
        return enforced(self._stub.DeleteSession, request, timeout, answer=whole)


class Sessions(Blocking, SessionMethods):
    __doc__ = SessionMethods.__doc__


class AsyncSessions(Awaiting, SessionMethods):
    __doc__ = SessionMethods.__doc__


def _begun(answer: CreateSessionResponse) -> NewSession:
    return NewSession(session=answer.session, credential=answer.credential)
