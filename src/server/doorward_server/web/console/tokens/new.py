"""The form of a new token, with the apps that it would open now."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from doorward_server.web.attempts import Problem
from doorward_server.web.console.failures import ApiError
from doorward_server.web.console.field_errors import field_errors
from doorward_server.web.console.tokens.addresses import NEW
from doorward_server.web.console.tokens.form import FIELDS, LABELS, LIFETIMES, TokenForm
from doorward_server.web.console.tokens.list import list_with_problem, list_with_secret
from doorward_server.web.console.tokens.scope import SHOWN, Scope, matching
from doorward_server.web.console.visit import Visit

_SENT_TWICE: Final = Problem(
    HTTPStatus.OK,
    "No second token was made",
    "The form was sent once more, as reloading the page does. Its token is in the list, and the secret was"
    " shown the first time. If you did not copy it then, regenerate the token.",
)


async def show_new(visit: Visit) -> Response:
    """The empty form."""
    return _page(visit, TokenForm.fresh(region=visit.platform.regions[0]))


async def create(visit: Visit) -> Response:
    """Make the token, or show the form again with what is wrong, or with the apps that match."""
    form = TokenForm.read(visit.fields)
    if "preview" in visit.fields:
        scope, errors = await _preview(visit, form)
        return _page(visit, form, errors, scope=scope)
    if errors := form.problems:
        return _page(visit, form, errors)
    try:
        answer = await visit.api.call(visit.api.tokens.CreateToken, form.create_request())
    except ApiError as error:
        if _was_sent_before(error):
            return await list_with_problem(visit, _SENT_TWICE)
        return _page(visit, form, field_errors(error, FIELDS))
    if not answer.secret:
        return await list_with_problem(visit, _SENT_TWICE)
    return await list_with_secret(visit, answer.token, answer.secret)


async def preview(visit: Visit) -> Response:
    """The part of the form that shows the matching apps, for its script."""
    form = TokenForm.read(visit.fields)
    scope, errors = await _preview(visit, form)
    return visit.page("tokens/preview.html", form=form, scope=scope, errors=errors)


async def _preview(visit: Visit, form: TokenForm) -> tuple[Scope | None, Mapping[str, str]]:
    """The apps that match, or what is wrong with what should match them."""
    if errors := form.scope_problems:
        return None, errors
    try:
        request = form.preview_request(page_size=SHOWN)
        return matching(await visit.api.call(visit.api.tokens.PreviewSelector, request)), {}
    except ApiError as error:
        return None, field_errors(error, FIELDS)


def _was_sent_before(error: ApiError) -> bool:
    """Whether api knows the form, sent with other contents, or has lost its token meanwhile."""
    return error.reason in {"REQUEST_ID_REUSED", "TOKEN_NOT_FOUND"}


def _page(
    visit: Visit,
    form: TokenForm,
    errors: Mapping[str, str] | None = None,
    *,
    scope: Scope | None = None,
) -> Response:
    return visit.page(
        "tokens/new.html",
        status=HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK,
        action=NEW,
        errors=errors or {},
        form=form,
        labels=LABELS,
        lifetimes=LIFETIMES,
        scope=scope,
    )
