"""Our session cookie in the header `Cookie`, which it shares with the app's own cookies.

Read as servers read it (RFC 6265 §4.2 and §5.4): pairs between semicolons, whatever is in them. The app's own
cookies are never parsed further, and stay byte for byte.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from doorward_server.domain.presented import Malformed

SESSION_COOKIE: Final = "__Host-doorward"
"""Its prefix binds it to one host: browsers take it over HTTPS alone, and without a domain."""

_ATTRIBUTES: Final = "; Path=/; Secure; HttpOnly; SameSite=Lax"

_NAME: Final = SESSION_COOKIE.encode()


@dataclass(frozen=True, slots=True)
class Cookies:
    """The cookies of a request."""

    session: bytes | Malformed | None
    """The value of our cookie, as sent; None: there is none."""
    rest: bytes
    """The header for the app, our cookie cut out. Empty: nothing is left, and the header must go."""


def read_cookies(headers: Sequence[bytes]) -> Cookies:
    """Read the raw values of the header `Cookie`, one for each time that it was sent.

    HTTP/2 clients may send a header for each cookie; together they are one list (RFC 9113 §8.2.3). Our cookie
    sent twice is malformed, whatever the values: servers differ in which of them counts.
    """
    header = b"; ".join(headers)
    if _NAME not in header:
        return Cookies(None, header)
    pairs = header.split(b";")
    ours = [pair for pair in pairs if _is_ours(pair)]
    if not ours:
        return Cookies(None, header)
    rest = b";".join(pair for pair in pairs if not _is_ours(pair))
    if _is_ours(pairs[0]):
        # The space behind its semicolon goes with it.
        rest = rest.lstrip()
    session = Malformed.REPEATED if len(ours) > 1 else _value(ours[0])
    return Cookies(session, rest if rest.strip() else b"")


def session_cookie(sealed: str) -> str:
    """The header `Set-Cookie` that gives a browser a session, for as long as neither of them ends."""
    return f"{SESSION_COOKIE}={sealed}{_ATTRIBUTES}"


def no_session_cookie() -> str:
    """The header `Set-Cookie` that takes the session away."""
    return f"{SESSION_COOKIE}={_ATTRIBUTES}; Max-Age=0"


def _is_ours(pair: bytes) -> bool:
    # Names heed case. Without a "=" some servers read a name, and some a value.
    return pair.partition(b"=")[0].strip() == _NAME


def _value(pair: bytes) -> bytes:
    return pair.partition(b"=")[2].strip()
