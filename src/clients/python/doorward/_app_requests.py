"""The requests of AppService, made of Python's own types."""

import uuid
from collections.abc import Mapping, Sequence

from google.protobuf.field_mask_pb2 import FieldMask

from doorward._conversions import app_state
from doorward.v1.app_pb2 import App, AppSpec, AppState
from doorward.v1.app_service_pb2 import (
    CreateAppRequest,
    DeleteAppRequest,
    GetAppRequest,
    ListAppsRequest,
    ReadAppLogsRequest,
    StartAppRequest,
    StopAppRequest,
    UpdateAppRequest,
    WatchAppRequest,
)


def create_app(
    display_name: str,
    *,
    region: str,
    spec: AppSpec,
    labels: Mapping[str, str] | None,
    request_id: str | None,
) -> CreateAppRequest:
    """Return a request that may be repeated: without a *request_id* it gets one of its own."""
    app = App(display_name=display_name, region=region, spec=spec, labels=labels)
    return CreateAppRequest(app=app, request_id=request_id or str(uuid.uuid4()))


def get_app(app_id: str) -> GetAppRequest:
    """Return the request of GetApp."""
    return GetAppRequest(app_id=app_id)


def list_apps(
    *,
    selector: str,
    region: str,
    states: Sequence[AppState.ValueType | str],
    page_size: int,
    page_token: str,
) -> ListAppsRequest:
    """Return the request for one page."""
    return ListAppsRequest(
        label_selector=selector,
        region=region,
        states=[app_state(state) for state in states],
        page_size=page_size,
        page_token=page_token,
    )


def update_app(
    app_id: str,
    *,
    display_name: str | None,
    labels: Mapping[str, str] | None,
    spec: AppSpec | None,
    update_mask: Sequence[str] | None,
    etag: str,
) -> UpdateAppRequest:
    """Return a request that changes what is not None, or what *update_mask* names."""
    app = App(app_id=app_id, display_name=display_name or "", labels=labels, spec=spec, etag=etag)
    given = {"display_name": display_name, "labels": labels, "spec": spec}
    paths = [name for name, value in given.items() if value is not None]
    if update_mask is None and not paths:
        raise ValueError("nothing to change: give display_name, labels or spec")
    return UpdateAppRequest(
        app=app, update_mask=FieldMask(paths=paths if update_mask is None else update_mask)
    )


def start_app(app_id: str, *, etag: str) -> StartAppRequest:
    """Return the request of StartApp."""
    return StartAppRequest(app_id=app_id, etag=etag)


def stop_app(app_id: str, *, etag: str) -> StopAppRequest:
    """Return the request of StopApp."""
    return StopAppRequest(app_id=app_id, etag=etag)


def delete_app(app_id: str, *, etag: str) -> DeleteAppRequest:
    """Return the request of DeleteApp."""
    return DeleteAppRequest(app_id=app_id, etag=etag)


def watch_app(app_id: str) -> WatchAppRequest:
    """Return the request of WatchApp."""
    return WatchAppRequest(app_id=app_id)


def read_app_logs(app_id: str, *, tail_lines: int, follow: bool) -> ReadAppLogsRequest:
    """Return the request of ReadAppLogs."""
    return ReadAppLogsRequest(app_id=app_id, tail_lines=tail_lines, follow=follow)
