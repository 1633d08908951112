"""The apps: what `client.apps` offers."""

import time
from collections.abc import Callable, Mapping, Sequence

from doorward import _app_requests as requests
from doorward._calls import Calls, Stream
from doorward._conversions import app_state, seconds, short_name
from doorward._errors import one_line
from doorward._exceptions import AppGaveUp, DeadlineExceeded, Unavailable
from doorward._pages import Pages
from doorward._timeouts import Timeout
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

_GIVEN_UP = frozenset({AppState.APP_STATE_FAILED, AppState.APP_STATE_ERROR, AppState.APP_STATE_DELETING})
_RECONNECT_SECONDS = 0.5


class Apps:
    """What can be done with apps. Every method raises `doorward.DoorwardError` when its call fails.

    An answer that holds one thing is that thing; one that also says how far the change has reached (see
    `PolicyUpdate`) is the response of the API.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stub = AppServiceStub(calls.channel)

    def create(
        self,
        display_name: str,
        *,
        region: str,
        spec: AppSpec,
        labels: Mapping[str, str] | None = None,
        request_id: str | None = None,
        timeout: Timeout = None,
    ) -> App:
        """Create an app and start it; `doorward.process` and `doorward.external` make a *spec*.

        A *request_id* (a UUID) makes a repeat answer the same app; the client sets one when there is none,
        so that it may repeat the call itself. Needs ADMIN.
        """
        request = requests.create_app(
            display_name, region=region, spec=spec, labels=labels, request_id=request_id
        )
        return self._calls.unary(self._stub.CreateApp, request, timeout).app

    def get(self, app_id: str, *, timeout: Timeout = None) -> App:
        """Return one app. Needs a token with the app in its scope."""
        return self._calls.unary(self._stub.GetApp, requests.get_app(app_id), timeout).app

    def list(
        self,
        *,
        selector: str = "",
        region: str = "",
        states: Sequence[AppState.ValueType | str] = (),
        page_size: int = 0,
        timeout: Timeout = None,
    ) -> Pages[App, ListAppsResponse]:
        """Return the apps in the token's scope, newest first; *timeout* is for each page."""

        def fetch(page_token: str) -> ListAppsResponse:
            request = requests.list_apps(
                selector=selector, region=region, states=states, page_size=page_size, page_token=page_token
            )
            return self._calls.unary(self._stub.ListApps, request, timeout)

        return Pages(fetch, lambda page: page.apps)

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
    ) -> UpdateAppResponse:
        """Change what is given: each whole, unless *update_mask* names a part such as `spec.access`.

        With an *etag* the call is refused (`Conflict`) when the app has changed since. Needs ADMIN.
        """
        request = requests.update_app(
            app_id, display_name=display_name, labels=labels, spec=spec, update_mask=update_mask, etag=etag
        )
        return self._calls.enforced(self._stub.UpdateApp, request, timeout)

    def start(self, app_id: str, *, etag: str = "", timeout: Timeout = None) -> StartAppResponse:
        """Start an app that is stopped or has failed. Needs OPERATOR."""
        return self._calls.unary(self._stub.StartApp, requests.start_app(app_id, etag=etag), timeout)

    def stop(self, app_id: str, *, etag: str = "", timeout: Timeout = None) -> StopAppResponse:
        """Stop an app: its visitors get 503 from the moment this returns. Needs OPERATOR."""
        return self._calls.enforced(self._stub.StopApp, requests.stop_app(app_id, etag=etag), timeout)

    def delete(self, app_id: str, *, etag: str = "", timeout: Timeout = None) -> DeleteAppResponse:
        """Delete an app: its visitors get 403 from the moment this returns. Needs OPERATOR."""
        return self._calls.enforced(self._stub.DeleteApp, requests.delete_app(app_id, etag=etag), timeout)

    def watch(self, app_id: str, *, timeout: Timeout = None) -> Stream[WatchAppResponse]:
        """Return an app's status as it is, then each time it changes; it ends when the app is gone.

        Has no deadline unless *timeout* is given.
        """
        return self._calls.stream(self._stub.WatchApp, requests.watch_app(app_id), timeout)

    def logs(
        self, app_id: str, *, tail_lines: int = 0, follow: bool = False, timeout: Timeout = None
    ) -> Stream[ReadAppLogsResponse]:
        """Return what an app has printed: the last *tail_lines* (100 when 0, all when -1). Needs OPERATOR.

        With *follow* it goes on, and has no deadline unless *timeout* is given.
        """
        request = requests.read_app_logs(app_id, tail_lines=tail_lines, follow=follow)
        limit = timeout if follow or timeout is not None else self._calls.timeouts.call
        return self._calls.stream(self._stub.ReadAppLogs, request, limit)

    def wait(
        self,
        app_id: str,
        state: AppState.ValueType | str = AppState.APP_STATE_RUNNING,
        *,
        timeout: Timeout = 60,
        on_status: Callable[[AppStatus], None] | None = None,
    ) -> AppStatus:
        """Wait until an app is in *state*, at most *timeout*, and return its status.

        Each status on the way there is given to *on_status* as it comes. Raises `AppGaveUp` when the app has
        failed or is being deleted instead, and `DeadlineExceeded`. An api that restarts meanwhile is waited
        for.
        """
        wanted = app_state(state)
        deadline = time.monotonic() + seconds(60 if timeout is None else timeout)
        last = AppStatus()
        while True:
            try:
                with self.watch(app_id, timeout=max(deadline - time.monotonic(), 0.001)) as stream:
                    for answer in stream:
                        last = answer.status
                        if on_status is not None:
                            on_status(last)
                        if last.state == wanted:
                            return last
                        if last.state in _GIVEN_UP:
                            raise AppGaveUp(_not_reached(app_id, last, wanted), status=last)
                raise AppGaveUp(f"app {app_id} is gone", status=last)
            except Unavailable:
                if time.monotonic() + _RECONNECT_SECONDS >= deadline:
                    raise
                time.sleep(_RECONNECT_SECONDS)
            except DeadlineExceeded as error:
                raise DeadlineExceeded(_not_yet(app_id, last, wanted), code=error.code) from error


def _not_reached(app_id: str, status: AppStatus, wanted: AppState.ValueType) -> str:
    """Return why an app is not in the state that was waited for."""
    now = short_name(AppState, "APP_STATE_", status.state)
    text = f"app {app_id} is {now}, not {short_name(AppState, 'APP_STATE_', wanted)}"
    return f"{text}: {one_line(status.message)}" if status.message else text


def _not_yet(app_id: str, status: AppStatus, wanted: AppState.ValueType) -> str:
    """Return why waiting ended before the app was in the state, which it may still reach."""
    return f"waited long enough: {_not_reached(app_id, status, wanted)}"
