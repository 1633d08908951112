"""An app's page."""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Final

from starlette.responses import Response

from doorward.v1.app_pb2 import App
from doorward.v1.app_service_pb2 import ReadAppLogsRequest, ReadAppLogsResponse
from doorward_server.web.console.apps import command
from doorward_server.web.console.apps.logs import line_of
from doorward_server.web.console.apps.lookup import app_of
from doorward_server.web.console.apps.states import can_start, can_stop, changes_by_itself
from doorward_server.web.console.failures import ApiError
from doorward_server.web.console.visit import Visit

_LINES: Final = 100
_SECONDS: Final = 5.0


async def show_app(visit: Visit) -> Response:
    """What it is and does, and for whom the role permits it, what may be done with it and what it prints."""
    app = await app_of(visit)
    # A script that refreshes the page has its own way to the log.
    printed = visit.operates and _keeps_log(app)
    log = await _log(visit, app) if printed and not visit.in_background else ()
    return visit.page(
        "apps/app.html",
        app=app,
        can_start=can_start(app.status.state),
        can_stop=can_stop(app.status.state),
        command=command.joined(app.spec.process.command),
        history=list(reversed(app.status.history)),
        live=changes_by_itself(app.status.state),
        log=None if log is None else [line_of(each) for each in log],
        log_is_kept=_keeps_log(app),
    )


def _keeps_log(app: App) -> bool:
    """Whether what it prints is seen here. What runs elsewhere has a log of its own there."""
    return app.spec.WhichOneof("source") != "external"


async def _log(visit: Visit, app: App) -> Sequence[ReadAppLogsResponse] | None:
    """The newest lines; None when they cannot be had now, which is no reason for not showing the app."""
    request = ReadAppLogsRequest(app_id=app.app_id, tail_lines=_LINES)
    try:
        async with aclosing(visit.api.stream(visit.api.apps.ReadAppLogs, request, seconds=_SECONDS)) as lines:
            return [line async for line in lines]
    except ApiError:
        return None
