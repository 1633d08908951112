"""The ASGI applications: which address is answered by what."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from doorward_server.domain.hosts import plain_host
from doorward_server.web.addresses import CORNER
from doorward_server.web.health import HEALTH
from doorward_server.web.login import LOGIN, LOGOUT, LoginPages
from doorward_server.web.pages import Pages


def make_app(login_pages: LoginPages, pages: Pages, *, ready: Callable[[], Awaitable[bool]]) -> Starlette:
    """The login's application; *ready* says whether a login would be answered."""

    async def static(request: Request) -> Response:
        return pages.static(request.path_params["name"]) or login_pages.nothing_here()

    async def health(_request: Request) -> Response:
        return PlainTextResponse("ok") if await ready() else PlainTextResponse("api does not answer", 503)

    async def nothing_here(_request: Request, _error: Exception) -> Response:
        return login_pages.nothing_here()

    return Starlette(
        routes=[
            Route(LOGIN, login_pages.login, methods=["GET", "POST"]),
            Route(LOGOUT, login_pages.logout, methods=["GET", "POST"]),
            Route(f"{CORNER}/static/{{name}}", static, methods=["GET"]),
            Route(HEALTH, health, methods=["GET"]),
        ],
        exception_handlers={404: nothing_here},
    )


class ByHost:
    """Gives the requests to one host to the console, and all others to the login."""

    def __init__(self, *, console_host: str, console: ASGIApp, others: ASGIApp) -> None:
        self._console_host = console_host
        self._console = console
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        is_console = len(hosts) == 1 and plain_host(hosts[0]) == self._console_host
        await (self._console if is_console else self._others)(scope, receive, send)
