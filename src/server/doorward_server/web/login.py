"""Logging in and out, on an app's own host."""

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from doorward_server.domain.cookies import no_session_cookie, read_cookies, session_cookie
from doorward_server.domain.presented import Malformed
from doorward_server.web.addresses import CORNER, safe_next
from doorward_server.web.attempts import BAD_FORM, Attempts, Problem
from doorward_server.web.forms import FIELD, BadFormError, Forms
from doorward_server.web.hosts import AppHosts
from doorward_server.web.logins import Logins
from doorward_server.web.pages import Pages, see_other

LOGIN: Final = f"{CORNER}/login"
LOGOUT: Final = f"{CORNER}/logout"

_FORMS: Final = Forms(cookie="__Host-doorward-login", same_site="Strict", longest=16 * 1024, most_fields=8)
_STILL_IN: Final = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "You are still logged in",
    "The session could not be ended everywhere. Try again in a moment.",
)


class LoginPages:
    """The endpoints."""

    def __init__(self, *, hosts: AppHosts, attempts: Attempts, logins: Logins, pages: Pages) -> None:
        self._hosts = hosts
        self._attempts = attempts
        self._logins = logins
        self._pages = pages

    async def login(self, request: Request) -> Response:
        """The page, and what its form sends."""
        host = self._hosts.name(request.headers.get("host", ""))
        if host is None:
            return self.nothing_here()
        if request.method != "POST":
            return self._login_page(request, host, safe_next(request.query_params.get("next", "/")))
        try:
            fields = await _FORMS.read(request)
        except BadFormError:
            return self._login_page(request, host, "/", BAD_FORM)
        back = safe_next(fields.get("next", "/"))
        answer = await self._attempts.begin(request, token=fields.get("token", ""), host=host)
        if isinstance(answer, Problem):
            return self._login_page(request, host, back, answer)
        return see_other(back, [session_cookie(answer), _FORMS.no_cookie()])

    async def logout(self, request: Request) -> Response:
        """The page that offers it, and doing it."""
        host = self._hosts.name(request.headers.get("host", ""))
        if host is None:
            return self.nothing_here()
        if request.method != "POST":
            return self._logout_page(request, host)
        try:
            await _FORMS.read(request)
        except BadFormError:
            return self._logout_page(request, host, BAD_FORM)
        raw = [value.encode("latin-1") for value in request.headers.getlist("cookie")]
        session = read_cookies(raw).session
        if isinstance(session, bytes) and not await self._logins.end(session):
            return self._logout_page(request, host, _STILL_IN)
        cookies = [no_session_cookie(), _FORMS.no_cookie()]
        repeated = session is Malformed.REPEATED
        return self._pages.page("logged_out.html", cookies=cookies, host=host, login=LOGIN, repeated=repeated)

    def nothing_here(self) -> Response:
        """The page for every other address."""
        return self._pages.page("nothing.html", status=HTTPStatus.NOT_FOUND)

    def _login_page(self, request: Request, host: str, back: str, problem: Problem | None = None) -> Response:
        return self._form_page(request, "login.html", problem, action=LOGIN, host=host, next=back)

    def _logout_page(self, request: Request, host: str, problem: Problem | None = None) -> Response:
        return self._form_page(request, "logout.html", problem, action=LOGOUT, host=host)

    def _form_page(self, request: Request, template: str, problem: Problem | None, **values: str) -> Response:
        key = _FORMS.key(request)
        return self._pages.page(
            template,
            status=HTTPStatus.OK if problem is None else problem.status,
            cookies=[_FORMS.set_cookie(key)],
            retry_after=None if problem is None else problem.retry_after,
            field=FIELD,
            key=key,
            problem=problem,
            **values,
        )
