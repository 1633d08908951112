"""Start, Stop and Delete: each asks first, and says what comes of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import grpc
from starlette.responses import Response

from doorward.v1.app_pb2 import App
from doorward.v1.app_service_pb2 import DeleteAppRequest, StartAppRequest, StopAppRequest
from doorward.v1.policy_update_pb2 import ENFORCEMENT_REACHABLE_ONLY, PolicyUpdate
from doorward_server.web.attempts import Problem
from doorward_server.web.console.api import NARROWING_SECONDS, Api
from doorward_server.web.console.apps.addresses import APPS, app_id_of, app_page
from doorward_server.web.console.apps.lookup import app_of
from doorward_server.web.console.apps.notices import (
    DELETED,
    DELETED_WHERE_REACHED,
    STARTING,
    STOPPING,
    STOPPING_WHERE_REACHED,
)
from doorward_server.web.console.failures import ApiError
from doorward_server.web.console.problems import problem_of
from doorward_server.web.console.visit import Visit

_ASKED_AGAIN: Final = {grpc.StatusCode.ABORTED, grpc.StatusCode.FAILED_PRECONDITION}
"""When the app is not as the visitor saw it: the question is put again, about the app as it is."""


async def _start(api: Api, app_id: str, etag: str) -> PolicyUpdate:
    answer = await api.call(api.apps.StartApp, StartAppRequest(app_id=app_id, etag=etag))
    return answer.policy_update


async def _stop(api: Api, app_id: str, etag: str) -> PolicyUpdate:
    request = StopAppRequest(app_id=app_id, etag=etag)
    return (await api.call(api.apps.StopApp, request, seconds=NARROWING_SECONDS)).policy_update


async def _delete(api: Api, app_id: str, etag: str) -> PolicyUpdate:
    request = DeleteAppRequest(app_id=app_id, etag=etag)
    return (await api.call(api.apps.DeleteApp, request, seconds=NARROWING_SECONDS)).policy_update


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that is done to an app."""

    template: str
    """The page that asks."""
    do: Callable[[Api, str, str], Awaitable[PolicyUpdate]]
    """Does it to the app with an id and an etag; raises `ApiError`."""
    notice: str
    notice_where_reached: str
    """When some replicas could not be reached, and go on by what they know."""
    leads_to_app: bool = True
    """Whether there still is a page of the app."""

    async def ask(self, visit: Visit) -> Response:
        """The page that asks."""
        return self._question(visit, await app_of(visit))

    async def act(self, visit: Visit) -> Response:
        """Do it."""
        app_id = app_id_of(visit)
        try:
            update = await self.do(visit.api, app_id, visit.fields.get("etag", ""))
        except ApiError as error:
            if error.code not in _ASKED_AGAIN:
                raise
            return self._question(visit, await app_of(visit), problem_of(error))
        reached_all = update.enforcement != ENFORCEMENT_REACHABLE_ONLY
        notice = self.notice if reached_all else self.notice_where_reached
        return visit.done(app_page(app_id) if self.leads_to_app else APPS, notice)

    def _question(self, visit: Visit, app: App, problem: Problem | None = None) -> Response:
        status = HTTPStatus.OK if problem is None else problem.status
        back = app_page(app.app_id)
        return visit.page(self.template, status=status, app=app, back=back, problem=problem)


START: Final = Action(template="apps/start.html", do=_start, notice=STARTING, notice_where_reached=STARTING)
STOP: Final = Action(
    template="apps/stop.html", do=_stop, notice=STOPPING, notice_where_reached=STOPPING_WHERE_REACHED
)
DELETION: Final = Action(
    template="apps/delete.html",
    do=_delete,
    notice=DELETED,
    notice_where_reached=DELETED_WHERE_REACHED,
    leads_to_app=False,
)
