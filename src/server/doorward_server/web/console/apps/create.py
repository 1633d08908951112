"""Submitting an app."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final
from uuid import uuid4

import grpc
from starlette.responses import Response

from doorward.v1.app_service_pb2 import CreateAppRequest
from doorward_server.web.attempts import Problem
from doorward_server.web.console.apps.addresses import app_page
from doorward_server.web.console.apps.notices import CREATED
from doorward_server.web.console.apps.spec_form import DEFAULTS, FIELDS, FormError, SpecForm
from doorward_server.web.console.failures import ApiError
from doorward_server.web.console.field_errors import field_errors
from doorward_server.web.console.problems import problem_of
from doorward_server.web.console.visit import Visit

_WRONG_FIELDS: Final = Problem(
    HTTPStatus.BAD_REQUEST,
    "The app was not submitted",
    "Something is not right with the fields that are marked.",
)
_SENT_BEFORE: Final = Problem(
    HTTPStatus.CONFLICT,
    "This form was sent before",
    "An app was made from it, with other values. Send it again to make another one.",
)
_KEPT: Final = {
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""Errors after which the form is shown with what was typed. The same form sent twice makes one app."""


async def new_app(visit: Visit) -> Response:
    """The form."""
    return _form(visit, DEFAULTS, request_id=str(uuid4()))


async def create_app(visit: Visit) -> Response:
    """Submit what was typed."""
    typed = {name: visit.fields.get(name, "") for name in DEFAULTS}
    request_id = visit.fields.get("request_id", "")
    try:
        request = CreateAppRequest(app=SpecForm(typed).app(), request_id=request_id)
        answer = await visit.api.call(visit.api.apps.CreateApp, request)
    except FormError as error:
        return _form(visit, typed, request_id=request_id, errors=error.errors, problem=_WRONG_FIELDS)
    except ApiError as error:
        if error.reason == "REQUEST_ID_REUSED":
            return _form(visit, typed, request_id=str(uuid4()), problem=_SENT_BEFORE)
        if error.code in _KEPT:
            return _form(visit, typed, request_id=request_id, problem=problem_of(error))
        errors = field_errors(error, FIELDS)
        return _form(visit, typed, request_id=request_id, errors=errors, problem=_WRONG_FIELDS)
    return visit.done(app_page(answer.app.app_id), CREATED)


def _form(
    visit: Visit,
    typed: Mapping[str, str],
    *,
    request_id: str,
    errors: Mapping[str, str] = MappingProxyType({}),
    problem: Problem | None = None,
) -> Response:
    return visit.page(
        "apps/new.html",
        status=HTTPStatus.OK if problem is None else problem.status,
        errors=errors,
        problem=problem,
        request_id=request_id,
        typed=typed,
    )
