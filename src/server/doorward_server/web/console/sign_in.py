"""Signing in and out."""

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from doorward_server.web.addresses import safe_next
from doorward_server.web.attempts import BAD_FORM, Attempts, Problem
from doorward_server.web.console.cookies import SESSION_COOKIE, no_cookie, session_cookie
from doorward_server.web.console.failures import ApiError
from doorward_server.web.console.shell import CONSOLE_FORMS, SIGN_IN, SIGN_OUT, Shell
from doorward_server.web.forms import FIELD, BadFormError, cookie_of
from doorward_server.web.logins import Logins
from doorward_server.web.pages import Pages, see_other

_STILL_IN: Final = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "You are still signed in",
    "The session could not be ended. Try again in a moment.",
)
_PAGE_TOO_OLD: Final = Problem(
    HTTPStatus.FORBIDDEN, "You are still signed in", "The page was too old. Load it again and repeat."
)


class SignIn:
    """The endpoints that need no session."""

    def __init__(self, *, host: str, shell: Shell, attempts: Attempts, logins: Logins, pages: Pages) -> None:
        """*host*: the console's."""
        self._host = host
        self._shell = shell
        self._attempts = attempts
        self._logins = logins
        self._pages = pages

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route(SIGN_IN, self._sign_in, methods=["GET", "POST"]),
            Route(SIGN_OUT, self._sign_out, methods=["GET", "POST"]),
        ]

    async def _sign_in(self, request: Request) -> Response:
        if request.method != "POST":
            back = safe_next(request.query_params.get("next", "/"))
            if await self._is_in(request):
                return see_other(back, [])
            return self._page(request, back, ended="ended" in request.query_params)
        try:
            fields = await CONSOLE_FORMS.read(request)
        except BadFormError:
            return self._page(request, "/", BAD_FORM)
        back = safe_next(fields.get("next", "/"))
        answer = await self._attempts.begin(request, token=fields.get("token", ""), host=self._host)
        if isinstance(answer, Problem):
            return self._page(request, back, answer)
        return see_other(back, [session_cookie(answer)])

    async def _sign_out(self, request: Request) -> Response:
        if request.method != "POST":
            return see_other("/", [])
        try:
            await CONSOLE_FORMS.read(request)
        except BadFormError:
            return self._shell.bare(_PAGE_TOO_OLD)
        session = cookie_of(request, SESSION_COOKIE)
        if session is not None and not await self._logins.end(session.encode()):
            return self._shell.bare(_STILL_IN)
        cookies = [no_cookie(SESSION_COOKIE), CONSOLE_FORMS.no_cookie()]
        return self._pages.page("console/signed_out.html", cookies=cookies, host=self._host, sign_in=SIGN_IN)

    async def _is_in(self, request: Request) -> bool:
        try:
            return await self._shell.enter(request) is not None
        except ApiError:
            return False

    def _page(
        self, request: Request, back: str, problem: Problem | None = None, *, ended: bool = False
    ) -> Response:
        key = CONSOLE_FORMS.key(request)
        return self._pages.page(
            "console/sign_in.html",
            status=HTTPStatus.OK if problem is None else problem.status,
            cookies=[CONSOLE_FORMS.set_cookie(key)],
            retry_after=None if problem is None else problem.retry_after,
            action=SIGN_IN,
            ended=ended,
            field=FIELD,
            host=self._host,
            key=key,
            next=back,
            problem=problem,
        )
