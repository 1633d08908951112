"""The console's cookies, each of its host alone."""

from typing import Final

SESSION_COOKIE: Final = "__Host-doorward-console"
"""Not the name that apps' sessions have: neither is ever looked for where the other belongs."""
NOTICE_COOKIE: Final = "__Host-doorward-notice"
"""What the next page tells of what was done."""

_ATTRIBUTES: Final = "; Path=/; Secure; HttpOnly; SameSite=Lax"


def session_cookie(credential: str) -> str:
    """The header `Set-Cookie` that gives a browser a session, for as long as neither of them ends."""
    return f"{SESSION_COOKIE}={credential}{_ATTRIBUTES}"


def notice_cookie(name: str) -> str:
    """The header `Set-Cookie` that has the next page tell something."""
    return f"{NOTICE_COOKIE}={name}{_ATTRIBUTES}; Max-Age=60"


def no_cookie(name: str) -> str:
    """The header `Set-Cookie` that takes a cookie away."""
    return f"{name}={_ATTRIBUTES}; Max-Age=0"
