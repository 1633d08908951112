"""The apps: what `client.apps` offers."""

from collections.abc import Callable, Mapping, Sequence

from doorward import _app_requests as requests
from doorward._conversions import app_state, seconds
from doorward._described import Streaming, call, enforced, whole
from doorward._operations import (
    Awaiting,
    Blocking,
    Listing,
    Operation,
    Part,
    listing,
    operation,
    streaming,
)
from doorward._timeouts import Timeout, call_limit, stream_limit
from doorward._waiting import Waiting
from doorward.v1.app_pb2 import App, AppSpec, AppState, AppStatus
from doorward.v1.app_service_pb2 import (
    DeleteAppResponse,
    ListAppsResponse,
    ReadAppLogsResponse,
    StartAppResponse,
    StopAppResponse,
    UpdateAppResponse,
    WatchAppResponse,
)
from doorward.v1.app_service_pb2_grpc import AppServiceStub


class AppMethods(Part):
    """What can be done with apps. Every method raises `doorward.DoorwardError` when its call fails.

    An answer that holds one thing is that thing; one that also says how far the change has reached (see
    `PolicyUpdate`) is the response of the API.
    """

    @property
    def _stub(self) -> AppServiceStub:
        return self._calls.stub(AppServiceStub)

    @operation
    def create(
        self,
        display_name: str,
        *,
        region: str,
        spec: AppSpec,
        labels: Mapping[str, str] | None = None,
        request_id: str | None = None,
        timeout: Timeout = None,
    ) -> Operation[App]:
        """Create an app and start it; `doorward.process` and `doorward.external` make a *spec*.

        A *request_id* (a UUID) makes a repeat answer the same app; the client sets one when there is none,
        so that it may repeat the call itself. Needs ADMIN.
        """
        request = requests.create_app(
            display_name, region=region, spec=spec, labels=labels, request_id=request_id
        )
        return call(self._stub.CreateApp, request, timeout, answer=lambda answer: answer.app)

    @operation
    def get(self, app_id: str, *, timeout: Timeout = None) -> Operation[App]:
        """Return one app. Needs a token with the app in its scope."""
        request = requests.get_app(app_id)
        return call(self._stub.GetApp, request, timeout, answer=lambda answer: answer.app)

    @listing
    def list(
        self,
        *,
        selector: str = "",
        region: str = "",
        states: Sequence[AppState.ValueType | str] = (),
        page_size: int = 0,
        timeout: Timeout = None,
    ) -> Listing[App, ListAppsResponse]:
        """Return the apps in the token's scope, newest first; *timeout* is for each page."""

        def page(page_token: str) -> Operation[ListAppsResponse]:
            request = requests.list_apps(
                selector=selector, region=region, states=states, page_size=page_size, page_token=page_token
            )
            return call(self._stub.ListApps, request, timeout, answer=whole)

        return Listing(page=page, items=lambda page: page.apps)

    @operation
    def update(
        self,
        app_id: str,
        *,
        display_name: str | None = None,
        labels: Mapping[str, str] | None = None,
        spec: AppSpec | None = None,
        update_mask: Sequence[str] | None = None,
        etag: str = "",
        timeout: Timeout = None,
    ) -> Operation[UpdateAppResponse]:
        """Change what is given: each whole, unless *update_mask* names a part such as `spec.access`.

        With an *etag* the call is refused (`Conflict`) when the app has changed since. Needs ADMIN.
        """
        request = requests.update_app(
            app_id, display_name=display_name, labels=labels, spec=spec, update_mask=update_mask, etag=etag
        )
        return enforced(self._stub.UpdateApp, request, timeout, answer=whole)

    @operation
    def start(self, app_id: str, *, etag: str = "", timeout: Timeout = None) -> Operation[StartAppResponse]:
        """Start an app that is stopped or has failed. Needs OPERATOR."""
        request = requests.start_app(app_id, etag=etag)
        return call(self._stub.StartApp, request, timeout, answer=whole)

    @operation
    def stop(self, app_id: str, *, etag: str = "", timeout: Timeout = None) -> Operation[StopAppResponse]:
        """Stop an app: its visitors get 503 from the moment this returns. Needs OPERATOR."""
        request = requests.stop_app(app_id, etag=etag)
        return enforced(self._stub.StopApp, request, timeout, answer=whole)

    @operation
    def delete(self, app_id: str, *, etag: str = "", timeout: Timeout = None) -> Operation[DeleteAppResponse]:
        """Delete an app: its visitors get 403 from the moment this returns. Needs OPERATOR."""
        request = requests.delete_app(app_id, etag=etag)
        return enforced(self._stub.DeleteApp, request, timeout, answer=whole)

    @streaming
    def watch(self, app_id: str, *, timeout: Timeout = None) -> Streaming[WatchAppResponse]:
        """Return an app's status as it is, then each time it changes; it ends when the app is gone.

        Has no deadline unless *timeout* is given.
        """
        return self._watch(app_id, timeout)

    @streaming
    def logs(
        self, app_id: str, *, tail_lines: int = 0, follow: bool = False, timeout: Timeout = None
    ) -> Streaming[ReadAppLogsResponse]:
        """Return what an app has printed: the last *tail_lines* (100 when 0, all when -1). Needs OPERATOR.

        With *follow* it goes on, and has no deadline unless *timeout* is given.
        """
        request = requests.read_app_logs(app_id, tail_lines=tail_lines, follow=follow)
        limit = stream_limit(timeout) if follow else call_limit(timeout)
        return Streaming(method=self._stub.ReadAppLogs, request=request, limit=limit)

    @operation
    def wait(
        self,
        app_id: str,
        state: AppState.ValueType | str = AppState.APP_STATE_RUNNING,
        *,
        timeout: Timeout = 60,
        on_status: Callable[[AppStatus], None] | None = None,
    ) -> Operation[AppStatus]:
        """Wait until an app is in *state*, at most *timeout*, and return its status.

        Each status on the way there is given to *on_status* as it comes. Raises `AppGaveUp` when the app has
        failed or is being deleted instead, and `DeadlineExceeded`. An api that restarts meanwhile is waited
        for.
        """
        return Waiting(
            app_id=app_id,
            wanted=app_state(state),
            limit=seconds(60 if timeout is None else timeout),
            watch=lambda left: self._watch(app_id, left),
            on_status=on_status,
        )

    def _watch(self, app_id: str, timeout: Timeout) -> Streaming[WatchAppResponse]:
        return Streaming(
            method=self._stub.WatchApp, request=requests.watch_app(app_id), limit=stream_limit(timeout)
        )


class Apps(Blocking, AppMethods):
    __doc__ = AppMethods.__doc__


class AsyncApps(Awaiting, AppMethods):
    __doc__ = AppMethods.__doc__
