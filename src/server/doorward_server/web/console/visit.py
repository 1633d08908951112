"""One request of somebody who is signed in."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import Response

from doorward.v1.role_pb2 import ROLE_ADMIN, ROLE_OPERATOR
from doorward.v1.token_pb2 import Token
from doorward_server.web.attempts import Problem
from doorward_server.web.console.api import Api
from doorward_server.web.console.cookies import notice_cookie
from doorward_server.web.pages import see_other


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What pages need to know of the platform itself."""

    regions: tuple[str, ...]
    """Their names."""
    reserved_prefix: str
    """What label keys of the platform begin with."""

    def own(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The labels that are not the platform's."""
        return {key: value for key, value in labels.items() if not key.startswith(self.reserved_prefix)}


class Renders(Protocol):
    """Puts the console around a page."""

    def render(
        self,
        visit: "Visit",
        template: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        retry_after: int | None = None,
        **values: Any,
    ) -> Response: ...


class Visit:
    """What a page is made from."""

    def __init__(
        self, request: Request, *, api: Api, token: Token, platform: Platform, shell: Renders
    ) -> None:
        self.request: Final = request
        self.api: Final = api
        self.token: Final = token
        """Whose session it is."""
        self.platform: Final = platform
        self.fields: Mapping[str, str] = {}
        """What a form has sent."""
        self._shell = shell

    @property
    def query(self) -> Mapping[str, str]:
        """What the address has behind its question mark."""
        return self.request.query_params

    @property
    def path(self) -> Mapping[str, str]:
        """What the address has in the places that the page's path names."""
        return self.request.path_params

    @property
    def in_background(self) -> bool:
        """Whether a script of the page asks, and not a person."""
        headers = self.request.headers
        return "doorward-background" in headers or headers.get("accept") == "text/event-stream"

    @property
    def operates(self) -> bool:
        """Whether to offer what needs OPERATOR. Api decides whether it may be done."""
        return self.token.role >= ROLE_OPERATOR

    @property
    def administers(self) -> bool:
        """Whether to offer what needs ADMIN. Api decides whether it may be done."""
        return self.token.role >= ROLE_ADMIN

    def page(
        self,
        template: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        retry_after: int | None = None,
        **values: Any,
    ) -> Response:
        """A page of the console; *template* is under `templates/console`, and extends `shell.html`."""
        return self._shell.render(self, template, status=status, retry_after=retry_after, **values)

    def problem(self, problem: Problem) -> Response:
        """A page that says why there is no other."""
        return self.page(
            "problem.html", status=problem.status, retry_after=problem.retry_after, problem=problem
        )

    @staticmethod
    def done(path: str, notice: str) -> Response:
        """Lead to another page, which says what was done: a name in `Section.notices`."""
        return see_other(path, [notice_cookie(notice)])
