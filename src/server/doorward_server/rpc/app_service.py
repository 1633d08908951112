"""AppService over gRPC."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from doorward.v1 import app_service_pb2 as pb
from doorward.v1 import app_service_pb2_grpc
from doorward_server.rpc.calls import Context, current_call
from doorward_server.rpc.conversion.app_answers import AppAnswers, log_line
from doorward_server.rpc.conversion.app_requests import AppRequests, parse_app_path, parse_logs
from doorward_server.rpc.conversion.pages import fetch_page
from doorward_server.rpc.conversion.updates import answered
from doorward_server.services.app_service import AppService
from doorward_server.services.liveness import TokenLiveness


class AppServicer(app_service_pb2_grpc.AppServiceServicer):
    """Translates between the wire and `services.app_service.AppService`."""

    def __init__(
        self, *, apps: AppService, liveness: TokenLiveness, requests: AppRequests, answers: AppAnswers
    ) -> None:
        self._apps = apps
        self._liveness = liveness
        self._requests = requests
        self._answers = answers

    async def CreateApp(self, request: pb.CreateAppRequest, _context: Context) -> pb.CreateAppResponse:
        call = current_call()
        new, request_id = self._requests.create(request)
        app = await self._apps.create(call, new, request_id=request_id)
        return pb.CreateAppResponse(app=self._answers.app(app, call.caller.role))

    async def GetApp(self, request: pb.GetAppRequest, _context: Context) -> pb.GetAppResponse:
        call = current_call()
        app = await self._apps.get(call, parse_app_path(request.app_id))
        return pb.GetAppResponse(app=self._answers.app(app, call.caller.role))

    async def ListApps(self, request: pb.ListAppsRequest, _context: Context) -> pb.ListAppsResponse:
        call = current_call()
        query = self._requests.query(request)
        apps, next_page_token = await fetch_page(
            lambda page: self._apps.list(
                call, page, region=query.region, states=query.states, selector=query.selector
            ),
            lambda app: self._answers.app(app, call.caller.role),
            size=request.page_size,
            token=request.page_token,
        )
        return pb.ListAppsResponse(apps=apps, next_page_token=next_page_token)

    async def UpdateApp(self, request: pb.UpdateAppRequest, _context: Context) -> pb.UpdateAppResponse:
        call = current_call()
        app_id, changes = self._requests.update(request)
        app, update = await self._apps.update(call, app_id, changes, etag=request.app.etag)
        return pb.UpdateAppResponse(
            app=self._answers.app(app, call.caller.role), policy_update=answered(update)
        )

    async def StartApp(self, request: pb.StartAppRequest, _context: Context) -> pb.StartAppResponse:
        call = current_call()
        app, update = await self._apps.start(call, parse_app_path(request.app_id), etag=request.etag)
        return pb.StartAppResponse(
            app=self._answers.app(app, call.caller.role), policy_update=answered(update)
        )

    async def StopApp(self, request: pb.StopAppRequest, _context: Context) -> pb.StopAppResponse:
        call = current_call()
        app, update = await self._apps.stop(call, parse_app_path(request.app_id), etag=request.etag)
        return pb.StopAppResponse(
            app=self._answers.app(app, call.caller.role), policy_update=answered(update)
        )

    async def DeleteApp(self, request: pb.DeleteAppRequest, _context: Context) -> pb.DeleteAppResponse:
        update = await self._apps.delete(current_call(), parse_app_path(request.app_id), etag=request.etag)
        return pb.DeleteAppResponse(policy_update=answered(update))

    async def WatchApp(
        self, request: pb.WatchAppRequest, _context: Context
    ) -> AsyncGenerator[pb.WatchAppResponse, None]:
        call = current_call()
        seen = self._apps.watch(call, parse_app_path(request.app_id))
        async with aclosing(self._liveness.while_live(call, seen)) as live:
            async for app in live:
                yield pb.WatchAppResponse(status=self._answers.status(app))

    async def ReadAppLogs(
        self, request: pb.ReadAppLogsRequest, _context: Context
    ) -> AsyncGenerator[pb.ReadAppLogsResponse, None]:
        call = current_call()
        app_id, tail = parse_logs(request)
        lines = self._apps.logs(call, app_id, tail=tail, follow=request.follow)
        async with aclosing(self._liveness.while_live(call, lines)) as live:
            async for line in live:
                yield log_line(line)
