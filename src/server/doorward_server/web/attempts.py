"""Trying a token that somebody has pasted, and what to say when it does not work."""

import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.requests import Request

from doorward_server.domain.credentials import MalformedCredentialError, Secret
from doorward_server.web.logins import Logins, Refusal
from doorward_server.web.throttle import Throttle

_CLIENT: Final = "x-envoy-external-address"
"""The address that Envoy was connected from. Envoy drops what a client sends under this name."""

_LONGEST_TOKEN: Final = 4096


@dataclass(frozen=True, slots=True)
class Problem:
    """What a page says went wrong, in plain words."""

    status: HTTPStatus
    title: str
    text: str
    retry_after: int | None = None
    """Seconds."""


_PROBLEMS: Final = {
    Refusal.WRONG: Problem(
        HTTPStatus.FORBIDDEN,
        "This token does not work",
        "It may have expired, or been regenerated or deleted. Ask whoever gave it to you for a new one.",
    ),
    Refusal.OUT_OF_SCOPE: Problem(
        HTTPStatus.FORBIDDEN,
        "This token does not open this app",
        "The token itself works, but not at this address. Check it, or ask for a token of this app.",
    ),
    Refusal.SUPERSEDED: Problem(
        HTTPStatus.FORBIDDEN,
        "This token has a newer secret",
        "It was regenerated. Programs may use the former secret for a while, browsers need the new one.",
    ),
    Refusal.TOO_MANY: Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many logins at once",
        "Your token is used for many logins at this moment. Wait a little, then try again.",
    ),
    Refusal.UNAVAILABLE: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Logging in does not work right now",
        "Your token was not looked at. Try again in a moment.",
    ),
}
_MALFORMED: Final = Problem(
    HTTPStatus.BAD_REQUEST,
    "This is not a whole token",
    "A token begins with dw_ and has 65 characters. Was it cut short, or mistyped?",
)
BAD_FORM: Final = Problem(
    HTTPStatus.FORBIDDEN,
    "The page was too old",
    "Paste your token again. If this comes back, allow cookies for this address.",
)


class Attempts:
    """Begins sessions with what is typed, which is never shown again, nor logged. Counts what is wrong."""

    def __init__(self, *, logins: Logins, throttle: Throttle) -> None:
        self._logins = logins
        self._throttle = throttle

    async def begin(self, request: Request, *, token: str, host: str) -> str | Problem:
        """A new session of a token with *host*: its credential."""
        address = request.headers.get(_CLIENT, "")
        if (wait := self._throttle.wait(address)) > 0:
            return Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "Too many wrong tokens",
                "Wait a little, then try again.",
                math.ceil(wait),
            )
        try:
            secret = Secret(token.strip() if len(token) <= _LONGEST_TOKEN else "")
        except MalformedCredentialError:
            self._throttle.failed(address)
            return _MALFORMED
        answer = await self._logins.begin(secret, host)
        if isinstance(answer, Refusal):
            if answer is Refusal.WRONG:
                self._throttle.failed(address)
            return _PROBLEMS[answer]
        return answer
