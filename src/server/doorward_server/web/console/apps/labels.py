"""Editing an app's labels, by which tokens open it."""

from http import HTTPStatus

from google.protobuf.field_mask_pb2 import FieldMask
from starlette.responses import Response

from doorward.v1.app_pb2 import App
from doorward.v1.app_service_pb2 import UpdateAppRequest
from doorward.v1.policy_update_pb2 import ENFORCEMENT_REACHABLE_ONLY
from doorward_server.web.attempts import Problem
from doorward_server.web.console.api import NARROWING_SECONDS
from doorward_server.web.console.apps.addresses import app_id_of, app_page
from doorward_server.web.console.apps.lines import LinesError, pairs, written
from doorward_server.web.console.apps.lookup import app_of
from doorward_server.web.console.apps.notices import LABELLED, LABELLED_WHERE_REACHED
from doorward_server.web.console.failures import ApiError
from doorward_server.web.console.field_errors import field_errors
from doorward_server.web.console.visit import Visit

_CONFLICT = Problem(
    HTTPStatus.CONFLICT,
    "Somebody else has changed this app meanwhile",
    "Nothing of yours was saved, and what you typed is still here. Compare it with the labels as they are"
    " now: saving again replaces them.",
)


async def edit_labels(visit: Visit) -> Response:
    """The form."""
    return _form(visit, await app_of(visit))


async def save_labels(visit: Visit) -> Response:
    """Save what was typed, unless the app has changed since the form was opened."""
    typed, app_id = visit.fields.get("labels", ""), app_id_of(visit)
    try:
        labels = pairs(typed, form="key=value")
    except LinesError as error:
        return _form(visit, await app_of(visit), typed, errors={"labels": str(error)})
    app = App(app_id=app_id, labels=labels, etag=visit.fields.get("etag", ""))
    request = UpdateAppRequest(app=app, update_mask=FieldMask(paths=["labels"]))
    try:
        answer = await visit.api.call(visit.api.apps.UpdateApp, request, seconds=NARROWING_SECONDS)
    except ApiError as error:
        if error.reason == "ETAG_MISMATCH":
            return _form(visit, await app_of(visit), typed, problem=_CONFLICT)
        errors = field_errors(error, {"app.labels": "labels"})
        return _form(visit, await app_of(visit), typed, errors=errors)
    reached_all = answer.policy_update.enforcement != ENFORCEMENT_REACHABLE_ONLY
    return visit.done(app_page(app_id), LABELLED if reached_all else LABELLED_WHERE_REACHED)


def _form(
    visit: Visit,
    app: App,
    typed: str | None = None,
    *,
    errors: dict[str, str] | None = None,
    problem: Problem | None = None,
) -> Response:
    """*typed*: None for the labels as they are."""
    status = HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK
    return visit.page(
        "apps/labels.html",
        status=status if problem is None else problem.status,
        app=app,
        errors=errors or {},
        etag=_etag(visit, app, problem),
        problem=problem,
        typed=written(visit.platform.own(app.labels)) if typed is None else typed,
    )


def _etag(visit: Visit, app: App, problem: Problem | None) -> str:
    """That of the app as the visitor has seen it; with a conflict, the page shows it as it is now."""
    return app.etag if problem is not None else visit.fields.get("etag", app.etag)
