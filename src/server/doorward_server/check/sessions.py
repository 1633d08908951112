"""Renewing sessions that are used."""

from doorward_server.domain.cookies import session_cookie
from doorward_server.domain.sessions import Session, SessionSeals


class SessionRenewal:
    """Puts off the end that idleness sets, in a new cookie, once half of the time to it has passed.

    So a page of many requests is not answered with as many cookies, and an allow is remembered in between.
    """

    def __init__(self, seals: SessionSeals, *, idle: float) -> None:
        """*idle*: seconds after which a session ends that nobody uses."""
        self._seals = seals
        self._idle = idle

    def due_time(self, session: Session) -> float | None:
        """From when on the session is to be renewed; None: never."""
        return session.renew_time(self._idle)

    def cookie(self, session: Session, now: float) -> str | None:
        """The header `Set-Cookie` with the session renewed; None: it is not due."""
        due = self.due_time(session)
        return None if due is None or now < due else self._renewed(session, now)

    def websocket_cookie(self, session: Session, now: float) -> str | None:
        """The same for who opens a WebSocket, which may be the last request for long: due at any time."""
        return None if self.due_time(session) is None else self._renewed(session, now)

    def _renewed(self, session: Session, now: float) -> str:
        return session_cookie(self._seals.seal(session.renewed(now, self._idle)))
