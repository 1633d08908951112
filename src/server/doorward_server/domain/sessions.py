"""Sessions of browsers: the access of one token to one app, in a cookie that does not hold the token.

A session is sealed: `1.` and, in base64url, its 64 bytes and a keyed BLAKE2b-256 MAC over all that stands
before. So whoever has the key reads it without asking anybody, and nobody else makes or changes one. What it
cannot say itself, that it was ended by a logout, the policy says.
"""

import hashlib
import hmac
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from doorward_server.domain.ids import AppId, SessionId, TokenId

_VERSION: Final = b"1."
_MAC_LENGTH: Final = 32
# Session, token, generation, app; end when idle and at the latest, in milliseconds since 1970.
_BODY: Final = struct.Struct(">16s12sI16sQQ")
# 96 bytes are 128 letters without padding or spare bits: there is one spelling of each.
_FORM: Final = re.compile(rb"1\.([0-9A-Za-z_-]{128})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser's access to one app. Times are in seconds since 1970, and kept to the millisecond."""

    session_id: SessionId
    token_id: TokenId
    generation: int
    """The token's secret that it was made with. It ends with it."""
    app_id: AppId
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

    def renewed(self, now: float, idle: float) -> "Session":
        """The same session, used at *now*."""
        return replace(self, idle_end=min(now + idle, self.end))


class SessionSeals:
    """Seals sessions and opens them."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        """*key* is the platform's `session_key`."""
        self._keyed = hashlib.blake2b(key=key, digest_size=_MAC_LENGTH)

    def seal(self, session: Session) -> str:
        """The session's credential: 130 letters that may stand in a cookie."""
        body = _BODY.pack(
            UUID(session.session_id).bytes,
            session.token_id.encode(),
            session.generation,
            UUID(session.app_id).bytes,
            _milliseconds(session.idle_end),
            _milliseconds(session.end),
        )
        return (_VERSION + urlsafe_b64encode(body + self._mac(body))).decode()

    def open(self, sealed: bytes) -> Session | None:
        """The session of a credential, live or not; None for what was not sealed with this key."""
        raw = _decode(sealed)
        if raw is None:
            return None
        body, mac = raw[:-_MAC_LENGTH], raw[-_MAC_LENGTH:]
        return _read(body) if hmac.compare_digest(mac, self._mac(body)) else None

    def _mac(self, body: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(_VERSION + body)
        return keyed.digest()


def session_id_of(sealed: bytes) -> SessionId | None:
    """The id that a credential claims, for who has no key; None for what has not the form of one."""
    raw = _decode(sealed)
    return None if raw is None else _read(raw[:-_MAC_LENGTH]).session_id


def _decode(sealed: bytes) -> bytes | None:
    form = _FORM.fullmatch(sealed)
    return None if form is None else urlsafe_b64decode(form[1])


def _read(body: bytes) -> Session:
    session, token, generation, app, idle_end, end = _BODY.unpack(body)
    return Session(
        session_id=SessionId(str(UUID(bytes=session))),
        token_id=TokenId(token.decode("latin-1")),
        generation=generation,
        app_id=AppId(str(UUID(bytes=app))),
        idle_end=idle_end / 1000,
        end=end / 1000,
    )


def _milliseconds(time: float) -> int:
    """Rounded down, but for what floating point takes away from a whole number."""
    return int(time * 1000 + 1e-3)
