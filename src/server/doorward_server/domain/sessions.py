"""Sessions of browsers: what stands for a token in a cookie that does not hold the token.

There are two kinds, which nothing takes for one another: the access to one app, which check replicas look at,
and the console's, which api does. A session is sealed: so whoever has the key of its kind reads it without
asking anybody, and nobody else makes or changes one. What it cannot say itself, that it was ended by a
logout, the policy says, or the database.
"""

import struct
from dataclasses import dataclass, replace
from typing import Final, Self
from uuid import UUID

from doorward_server.domain.ids import AppId, SessionId, TokenId
from doorward_server.domain.seals import Seal, SealedForm

# Session, token, generation, app; end when idle and at the latest, in milliseconds since 1970.
_BODY: Final = struct.Struct(">16s12sI16sQQ")
_FORM: Final = SealedForm(b"1.", _BODY.size)
# The same without an app, and a byte that fills it up.
_CONSOLE_BODY: Final = struct.Struct(">16s12sIxQQ")
_CONSOLE_FORM: Final = SealedForm(b"c1.", _CONSOLE_BODY.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timed:
    """What both kinds have. Times are in seconds since 1970, and kept to the millisecond."""

    session_id: SessionId
    token_id: TokenId
    generation: int
    """The token's secret that it was made with. It ends with it."""
    idle_end: float
    """When it ends unless it is used before; not after `end`."""
    end: float
    """When it ends at the latest."""

    def live(self, now: float) -> bool:
        """Whether it has neither been idle for too long nor come to its end."""
        return now < self.idle_end

    def renew_time(self, idle: float) -> float | None:
        """From when on a use should renew it, where *idle* seconds without use end it. None: it cannot be."""
        return self.idle_end - idle / 2 if self.idle_end < self.end else None

    def renewed(self, now: float, idle: float) -> Self:
        """The same session, used at *now*."""
        return replace(self, idle_end=min(now + idle, self.end))


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(_Timed):
    """A browser's access to one app."""

    app_id: AppId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSession(_Timed):
    """A browser's access to the console, and to no app."""


class SessionSeals:
    """Seals sessions with apps and opens them."""

    __slots__ = ("_seal",)

    def __init__(self, key: bytes) -> None:
        """*key* is the platform's `session_key`."""
        self._seal = Seal(key, _FORM)

    def seal(self, session: Session) -> str:
        """The session's credential: 130 letters that may stand in a cookie."""
        return self._seal.seal(
            _BODY.pack(
                UUID(session.session_id).bytes,
                session.token_id.encode(),
                session.generation,
                UUID(session.app_id).bytes,
                _milliseconds(session.idle_end),
                _milliseconds(session.end),
            )
        )

    def open(self, sealed: bytes) -> Session | None:
        """The session of a credential, live or not; None for what was not sealed with this key."""
        body = self._seal.open(sealed)
        if body is None:
            return None
        session, token, generation, app, idle_end, end = _BODY.unpack(body)
        return Session(
            session_id=_session_id(session),
            token_id=TokenId(token.decode("latin-1")),
            generation=generation,
            app_id=AppId(str(UUID(bytes=app))),
            idle_end=idle_end / 1000,
            end=end / 1000,
        )


class ConsoleSeals:
    """Seals sessions with the console and opens them."""

    __slots__ = ("_seal",)

    def __init__(self, key: bytes) -> None:
        """*key* is the platform's `console_key`."""
        self._seal = Seal(key, _CONSOLE_FORM)

    def seal(self, session: ConsoleSession) -> str:
        """The session's credential: 111 letters that may stand in a cookie."""
        return self._seal.seal(
            _CONSOLE_BODY.pack(
                UUID(session.session_id).bytes,
                session.token_id.encode(),
                session.generation,
                _milliseconds(session.idle_end),
                _milliseconds(session.end),
            )
        )

    def open(self, sealed: bytes) -> ConsoleSession | None:
        """The session of a credential, live or not; None for what was not sealed with this key."""
        body = self._seal.open(sealed)
        if body is None:
            return None
        session, token, generation, idle_end, end = _CONSOLE_BODY.unpack(body)
        return ConsoleSession(
            session_id=_session_id(session),
            token_id=TokenId(token.decode("latin-1")),
            generation=generation,
            idle_end=idle_end / 1000,
            end=end / 1000,
        )


def session_id_of(sealed: bytes) -> SessionId | None:
    """The id that a credential of either kind claims, for who has no key; None for what has no such form."""
    body = _FORM.claimed(sealed) or _CONSOLE_FORM.claimed(sealed)
    return None if body is None else _session_id(body[:16])


def _session_id(raw: bytes) -> SessionId:
    return SessionId(str(UUID(bytes=raw)))


def _milliseconds(time: float) -> int:
    """Rounded down, but for what floating point takes away from a whole number."""
    return int(time * 1000 + 1e-3)
