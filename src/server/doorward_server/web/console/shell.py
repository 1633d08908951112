"""What all pages of the console have in common: who is there, what they may send, and what is around them."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import grpc
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from doorward.v1.role_pb2 import Role
from doorward.v1.token_service_pb2 import WhoAmIRequest
from doorward_server.web.attempts import Problem
from doorward_server.web.console.api import Api, Stubs
from doorward_server.web.console.cookies import NOTICE_COOKIE, SESSION_COOKIE, no_cookie, session_cookie
from doorward_server.web.console.failures import ApiError
from doorward_server.web.console.problems import (
    ELSEWHERE,
    NOT_ALLOWED_HERE,
    NOTHING_HERE,
    TOO_OLD,
    problem_of,
    role_needed,
)
from doorward_server.web.console.sections import Handler, Page, Section
from doorward_server.web.console.visit import Platform, Visit
from doorward_server.web.forms import FIELD, BadFormError, Forms, asked_by_another_page, cookie_of
from doorward_server.web.pages import Pages, see_other, with_cookies

SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"

CONSOLE_FORMS: Final = Forms(
    cookie="__Host-doorward-form", same_site="Lax", longest=256 * 1024, most_fields=64
)
"""The forms of the console."""


class Shell:
    """Lets those in who are signed in, and puts the console around their pages."""

    def __init__(
        self, *, stubs: Stubs, pages: Pages, platform: Platform, sections: Sequence[Section]
    ) -> None:
        self._stubs = stubs
        self._platform = platform
        self._pages = pages
        self._sections = sections
        self._notices = {name: text for each in sections for name, text in each.notices.items()}

    def routes(self) -> list[Route]:
        """The addresses of all sections."""
        return [self._route(section, page) for section in self._sections for page in section.pages]

    async def enter(self, request: Request) -> Visit | None:
        """A visit, if the request brings a session; raises `ApiError`, UNAUTHENTICATED if it has ended."""
        session = cookie_of(request, SESSION_COOKIE)
        # No session has other letters, and metadata takes none.
        if not session or not session.isascii() or not session.isprintable():
            return None
        api = Api(self._stubs, session)
        answer = await api.call(api.tokens.WhoAmI, WhoAmIRequest())
        return Visit(request, api=api, token=answer.token, platform=self._platform, shell=self)

    async def nothing_here(self, request: Request, _error: Exception) -> Response:
        """The page of every other address."""
        return await self._answer(request, _nothing_here)

    async def not_allowed(self, _request: Request, _error: Exception) -> Response:
        """The page of methods that browsers' pages do not use."""
        return self.bare(NOT_ALLOWED_HERE)

    def bare(self, problem: Problem) -> Response:
        """A page for whom we do not know."""
        return self._pages.page(
            "console/bare.html", status=problem.status, retry_after=problem.retry_after, problem=problem
        )

    def render(
        self,
        visit: Visit,
        template: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        retry_after: int | None = None,
        **values: Any,
    ) -> Response:
        """Implements `Renders`."""
        request, key = visit.request, CONSOLE_FORMS.key(visit.request)
        sections = [each for each in self._sections if visit.token.role >= each.least_role]
        notice = None if visit.in_background else cookie_of(request, NOTICE_COOKIE)
        return self._pages.page(
            f"console/{template}",
            status=status,
            retry_after=retry_after,
            cookies=[
                CONSOLE_FORMS.set_cookie(key),
                *([] if notice is None else [no_cookie(NOTICE_COOKIE)]),
            ],
            visit=visit,
            sections=sections,
            here=next((each for each in sections if _is_within(request, each)), None),
            notice=self._notices.get(notice or ""),
            field=FIELD,
            key=key,
            sign_out=SIGN_OUT,
            **values,
        )

    def _route(self, section: Section, page: Page) -> Route:
        async def endpoint(request: Request) -> Response:
            if request.method == "POST":
                handler = page.post or _no_forms_here
            else:
                handler = _for_role("This page", page.least_role, page.get)
            return await self._answer(request, _for_role(section.title, section.least_role, handler))

        return Route(page.path, endpoint, methods=["GET", "POST"])

    async def _answer(self, request: Request, handler: Handler) -> Response:
        if asked_by_another_page(request):
            return self.bare(ELSEWHERE)
        try:
            visit = await self.enter(request)
            if visit is None:
                return to_sign_in(request)
            response = await _handled(visit, handler)
        except ApiError as error:
            if error.code is grpc.StatusCode.UNAUTHENTICATED:
                return to_sign_in(request, ended=True)
            return self.bare(problem_of(error))
        renewed = visit.api.renewed
        if renewed is None or visit.in_background:
            # What a page does by itself is no use that keeps a session from ending.
            return response
        return with_cookies(response, [session_cookie(renewed)])


async def _handled(visit: Visit, handler: Handler) -> Response:
    """What the handler makes of a visit; raises `ApiError` if the session has ended meanwhile."""
    try:
        if visit.request.method == "POST":
            visit.fields = await CONSOLE_FORMS.read(visit.request)
        return await handler(visit)
    except BadFormError:
        return visit.problem(TOO_OLD)
    except ApiError as error:
        if error.code is grpc.StatusCode.UNAUTHENTICATED:
            raise
        return visit.problem(problem_of(error))


def to_sign_in(request: Request, *, ended: bool = False) -> Response:
    """Lead to the sign-in, and from there to the page that was asked for."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    query = urlencode({"next": wanted, **({"ended": "1"} if ended else {})})
    return see_other(f"{SIGN_IN}?{query}", [no_cookie(SESSION_COOKIE)] if ended else [])


def _for_role(title: str, least_role: Role.ValueType, handler: Handler) -> Handler:
    """The handler, for those who have the role; others are told whom it is for. Api would refuse them."""

    async def handle(visit: Visit) -> Response:
        if visit.token.role < least_role:
            return visit.problem(role_needed(title, least_role, visit.token.role))
        return await handler(visit)

    return handle


async def _nothing_here(visit: Visit) -> Response:
    return visit.problem(NOTHING_HERE)


async def _no_forms_here(visit: Visit) -> Response:
    return visit.problem(NOT_ALLOWED_HERE)


def _is_within(request: Request, section: Section) -> bool:
    return f"{request.url.path}/".startswith(f"{section.path}/")
