"""The console's ASGI application."""

import grpc
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from doorward_server.web.addresses import CORNER
from doorward_server.web.attempts import Attempts
from doorward_server.web.console import apps
from doorward_server.web.console.api import Stubs
from doorward_server.web.console.shell import Shell
from doorward_server.web.console.sign_in import SignIn
from doorward_server.web.console.visit import Platform
from doorward_server.web.console.words import filters
from doorward_server.web.logins import Logins
from doorward_server.web.pages import CONSOLE_HEADERS, Pages, see_other

SECTIONS = (apps.SECTION,)
"""What the console consists of, in the order of its navigation."""


def make_console(
    *, host: str, platform: Platform, channel: grpc.aio.Channel, attempts: Attempts, logins: Logins
) -> Starlette:
    """The application; *host* is the console's, and *channel* leads to api."""
    pages = Pages(CONSOLE_HEADERS, filters=filters(reserved_prefix=platform.reserved_prefix))
    shell = Shell(stubs=Stubs(channel), pages=pages, platform=platform, sections=SECTIONS)
    sign_in = SignIn(host=host, shell=shell, attempts=attempts, logins=logins, pages=pages)

    async def home(_request: Request) -> Response:
        return see_other(SECTIONS[0].path, [])

    async def static(request: Request) -> Response:
        file = pages.static(request.path_params["name"])
        return await shell.nothing_here(request, LookupError()) if file is None else file

    return Starlette(
        routes=[
            Route("/", home, methods=["GET"]),
            Route(f"{CORNER}/static/{{name}}", static, methods=["GET"]),
            *sign_in.routes(),
            *shell.routes(),
        ],
        exception_handlers={404: shell.nothing_here, 405: shell.not_allowed},
    )
