"""AppService of the fake api."""

import uuid
from collections.abc import Iterator
from typing import Any

import grpc
from grpc_status import rpc_status

from doorward.v1 import app_service_pb2 as apps_pb2
from doorward.v1.app_pb2 import App, AppState
from doorward.v1.app_service_pb2_grpc import AppServiceServicer
from tests.unit.client.fake_api.state import State, changed, not_found
from tests.unit.client.fake_api.values import now, page, until_ended


class Apps(AppServiceServicer):
    """AppService."""

    def __init__(self, state: State) -> None:
        self.state = state

    def app(self, app_id: str, context: grpc.ServicerContext) -> App:
        if app_id not in self.state.apps:
            context.abort_with_status(rpc_status.to_status(not_found("APP_NOT_FOUND", app_id=app_id)))
        return self.state.apps[app_id]

    def unchanged(self, app: App, etag: str, context: grpc.ServicerContext) -> App:
        if etag not in ("", app.etag):
            context.abort_with_status(rpc_status.to_status(changed()))
        return app

    def enter(self, app: App, state: AppState.ValueType) -> App:
        app.status.state = state
        app.status.history.add(state=state, time=now())
        return app

    def CreateApp(self, request: Any, context: Any) -> Any:
        self.state.arrive("CreateApp", request, context)
        if request.request_id not in self.state.created:
            app = App()
            app.CopyFrom(request.app)
            app.app_id = str(uuid.uuid4())
            app.labels["ovh/id"] = app.app_id
            app.create_time.CopyFrom(now())
            app.status.url = f"http://{app.app_id}.app.gra.localhost:8080"
            app.etag = "1"
            for name in app.spec.process.env:
                app.spec.process.env[name] = ""
            self.state.apps[app.app_id] = self.enter(app, AppState.APP_STATE_QUEUED)
            self.state.created[request.request_id] = app.app_id
        return apps_pb2.CreateAppResponse(app=self.state.apps[self.state.created[request.request_id]])

    def GetApp(self, request: Any, context: Any) -> Any:
        self.state.arrive("GetApp", request, context)
        return apps_pb2.GetAppResponse(app=self.app(request.app_id, context))

    def ListApps(self, request: Any, context: Any) -> Any:
        self.state.arrive("ListApps", request, context)
        found = [app for app in self.state.apps.values() if request.region in ("", app.region)]
        apps, token = page(found, request.page_size, request.page_token)
        return apps_pb2.ListAppsResponse(apps=apps, next_page_token=token)

    def UpdateApp(self, request: Any, context: Any) -> Any:
        self.state.arrive("UpdateApp", request, context)
        app = self.unchanged(self.app(request.app.app_id, context), request.app.etag, context)
        app.etag = str(int(app.etag) + 1)
        for path in request.update_mask.paths:
            if path == "labels":
                app.labels.clear()
                app.labels.update(request.app.labels)
            elif path == "display_name":
                app.display_name = request.app.display_name
            else:
                request.update_mask.MergeMessage(request.app, app, replace_repeated_field=True)
        return apps_pb2.UpdateAppResponse(app=app, policy_update=self.state.narrowed())

    def StartApp(self, request: Any, context: Any) -> Any:
        self.state.arrive("StartApp", request, context)
        app = self.enter(self.app(request.app_id, context), AppState.APP_STATE_QUEUED)
        return apps_pb2.StartAppResponse(app=app)

    def StopApp(self, request: Any, context: Any) -> Any:
        self.state.arrive("StopApp", request, context)
        app = self.enter(self.app(request.app_id, context), AppState.APP_STATE_STOPPING)
        return apps_pb2.StopAppResponse(app=app, policy_update=self.state.narrowed())

    def DeleteApp(self, request: Any, context: Any) -> Any:
        self.state.arrive("DeleteApp", request, context)
        del self.state.apps[self.app(request.app_id, context).app_id]
        return apps_pb2.DeleteAppResponse(policy_update=self.state.narrowed())

    def WatchApp(self, request: Any, context: Any) -> Iterator[apps_pb2.WatchAppResponse]:
        self.state.arrive("WatchApp", request, context)
        self.app(request.app_id, context)
        for status in self.state.statuses:
            if status.state == AppState.APP_STATE_UNSPECIFIED:  # stands for: nothing more happens
                until_ended(context)
                return
            yield apps_pb2.WatchAppResponse(status=status)

    def ReadAppLogs(self, request: Any, context: Any) -> Iterator[apps_pb2.ReadAppLogsResponse]:
        self.state.arrive("ReadAppLogs", request, context)
        yield from self.state.lines
        if request.follow:
            until_ended(context)
