"""Logging in and out, on an app's own host."""

import math
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from doorward_server.domain.cookies import no_session_cookie, read_cookies, session_cookie
from doorward_server.domain.credentials import MalformedCredentialError, Secret
from doorward_server.domain.presented import Malformed
from doorward_server.web.addresses import CORNER, safe_next
from doorward_server.web.forms import (
    FIELD,
    BadFormError,
    form_cookie,
    form_key,
    no_form_cookie,
    read_form,
)
from doorward_server.web.hosts import AppHosts
from doorward_server.web.logins import Logins, Refusal
from doorward_server.web.pages import Pages, see_other
from doorward_server.web.throttle import Throttle

LOGIN: Final = f"{CORNER}/login"
LOGOUT: Final = f"{CORNER}/logout"

_CLIENT: Final = "x-envoy-external-address"
"""The address that Envoy was connected from. Envoy drops what a client sends under this name."""

_LONGEST_TOKEN: Final = 4096

_PROBLEMS: Final = {
    Refusal.WRONG: (
        HTTPStatus.FORBIDDEN,
        "This token does not work",
        "It may have expired, or been regenerated or deleted. Ask whoever gave it to you for a new one.",
    ),
    Refusal.OUT_OF_SCOPE: (
        HTTPStatus.FORBIDDEN,
        "This token does not open this app",
        "The token itself works, but not at this address. Check it, or ask for a token of this app.",
    ),
    Refusal.SUPERSEDED: (
        HTTPStatus.FORBIDDEN,
        "This token has a newer secret",
        "It was regenerated. Programs may use the former secret for a while, browsers need the new one.",
    ),
    Refusal.TOO_MANY: (
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many logins at once",
        "Your token is used for many logins at this moment. Wait a little, then try again.",
    ),
    Refusal.UNAVAILABLE: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Logging in does not work right now",
        "Your token was not looked at. Try again in a moment.",
    ),
}
_MALFORMED: Final = (
    HTTPStatus.BAD_REQUEST,
    "This is not a whole token",
    "A token begins with dw_ and has 65 characters. Was it cut short, or mistyped?",
)
_BAD_FORM: Final = (
    HTTPStatus.FORBIDDEN,
    "The page was too old",
    "Paste your token again. If this comes back, allow cookies for this address.",
)
_THROTTLED: Final = (
    HTTPStatus.TOO_MANY_REQUESTS,
    "Too many wrong tokens",
    "Wait a little, then try again.",
)
_STILL_IN: Final = (
    HTTPStatus.SERVICE_UNAVAILABLE,
    "You are still logged in",
    "The session could not be ended everywhere. Try again in a moment.",
)

Problem = tuple[HTTPStatus, str, str]


class LoginPages:
    """The endpoints. What is typed into them is never shown again, nor logged."""

    def __init__(self, *, hosts: AppHosts, logins: Logins, throttle: Throttle, pages: Pages) -> None:
        self._hosts = hosts
        self._logins = logins
        self._throttle = throttle
        self._pages = pages

    async def login(self, request: Request) -> Response:
        """The page, and what its form sends."""
        host = self._hosts.name(request.headers.get("host", ""))
        if host is None:
            return self.nothing_here()
        if request.method != "POST":
            return self._login_page(request, host, safe_next(request.query_params.get("next", "/")))
        try:
            fields = await read_form(request)
        except BadFormError:
            return self._login_page(request, host, "/", _BAD_FORM)
        back = safe_next(fields.get("next", "/"))
        return await self._log_in(request, host, back, fields.get("token", ""))

    async def logout(self, request: Request) -> Response:
        """The page that offers it, and doing it."""
        host = self._hosts.name(request.headers.get("host", ""))
        if host is None:
            return self.nothing_here()
        if request.method != "POST":
            return self._logout_page(request, host)
        try:
            await read_form(request)
        except BadFormError:
            return self._logout_page(request, host, _BAD_FORM)
        raw = [value.encode("latin-1") for value in request.headers.getlist("cookie")]
        session = read_cookies(raw).session
        if isinstance(session, bytes) and not await self._logins.end(session):
            return self._logout_page(request, host, _STILL_IN)
        cookies = [no_session_cookie(), no_form_cookie()]
        repeated = session is Malformed.REPEATED
        return self._pages.page("logged_out.html", cookies=cookies, host=host, login=LOGIN, repeated=repeated)

    def nothing_here(self) -> Response:
        """The page for every other address."""
        return self._pages.page("nothing.html", status=HTTPStatus.NOT_FOUND)

    async def _log_in(self, request: Request, host: str, back: str, token: str) -> Response:
        address = request.headers.get(_CLIENT, "")
        if (wait := self._throttle.wait(address)) > 0:
            return self._login_page(request, host, back, _THROTTLED, retry_after=math.ceil(wait))
        try:
            secret = Secret(token.strip() if len(token) <= _LONGEST_TOKEN else "")
        except MalformedCredentialError:
            self._throttle.failed(address)
            return self._login_page(request, host, back, _MALFORMED)
        answer = await self._logins.begin(secret, host)
        if isinstance(answer, Refusal):
            if answer is Refusal.WRONG:
                self._throttle.failed(address)
            return self._login_page(request, host, back, _PROBLEMS[answer])
        return see_other(back, [session_cookie(answer), no_form_cookie()])

    def _login_page(
        self,
        request: Request,
        host: str,
        back: str,
        problem: Problem | None = None,
        *,
        retry_after: int | None = None,
    ) -> Response:
        key = form_key(request)
        return self._pages.page(
            "login.html",
            status=HTTPStatus.OK if problem is None else problem[0],
            cookies=[form_cookie(key)],
            retry_after=retry_after,
            action=LOGIN,
            field=FIELD,
            host=host,
            key=key,
            next=back,
            problem=problem,
        )

    def _logout_page(self, request: Request, host: str, problem: Problem | None = None) -> Response:
        key = form_key(request)
        return self._pages.page(
            "logout.html",
            status=HTTPStatus.OK if problem is None else problem[0],
            cookies=[form_cookie(key)],
            action=LOGOUT,
            field=FIELD,
            host=host,
            key=key,
            problem=problem,
        )
