"""Changing a token's name and expiry."""

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from doorward.v1.token_pb2 import Token
from doorward.v1.token_service_pb2 import GetTokenRequest, UpdateTokenRequest
from doorward_server.web.attempts import Problem
from doorward_server.web.console.api import NARROWING_SECONDS
from doorward_server.web.console.failures import ApiError
from doorward_server.web.console.field_errors import field_errors
from doorward_server.web.console.problems import problem_of
from doorward_server.web.console.tokens.addresses import TOKENS
from doorward_server.web.console.tokens.form import FIELDS, LIFETIMES, NEVER, lifetime_end
from doorward_server.web.console.visit import Visit

KEEP: Final = "keep"
"""The choice of the expiry that leaves it as it is."""


async def show_edit(visit: Visit) -> Response:
    """The form, with what the token has."""
    token = await token_of(visit)
    return _page(visit, token, name=token.display_name, lifetime=KEEP)


async def edit(visit: Visit) -> Response:
    """Change it, or show the form again with what is wrong."""
    name, lifetime = visit.fields.get("name", "").strip(), visit.fields.get("lifetime", "")
    if lifetime not in (KEEP, *LIFETIMES):
        error = {"lifetime": "Choose when the token expires."}
        return _page(visit, await token_of(visit), name=name, lifetime=KEEP, errors=error)
    token = Token(token_id=visit.path["token_id"], display_name=name, etag=visit.fields.get("etag", ""))
    request = UpdateTokenRequest(token=token)
    request.update_mask.paths.append("display_name")
    if lifetime != KEEP:
        request.update_mask.paths.append("expire_time")
    if lifetime not in (KEEP, NEVER):
        request.token.expire_time.CopyFrom(lifetime_end(lifetime, int(time.time())))
    try:
        await visit.api.call(visit.api.tokens.UpdateToken, request, seconds=NARROWING_SECONDS)
    except ApiError as error:
        if error.reason in {"ETAG_MISMATCH", "LAST_ADMIN_TOKEN"}:
            # What was typed stays, and the form is about the token as it is now.
            problem = problem_of(error)
            return _page(visit, await token_of(visit), name=name, lifetime=lifetime, problem=problem)
        errors = field_errors(error, FIELDS)
        return _page(visit, await token_of(visit), name=name, lifetime=lifetime, errors=errors)
    return visit.done(TOKENS, "token-changed")


async def token_of(visit: Visit) -> Token:
    """The token that the address names; raises `ApiError`."""
    request = GetTokenRequest(token_id=visit.path["token_id"])
    answer = await visit.api.call(visit.api.tokens.GetToken, request)
    return answer.token


def _page(
    visit: Visit,
    token: Token,
    *,
    name: str,
    lifetime: str,
    errors: Mapping[str, str] | None = None,
    problem: Problem | None = None,
) -> Response:
    status = HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK
    return visit.page(
        "tokens/edit.html",
        status=status if problem is None else problem.status,
        back=TOKENS,
        errors=errors or {},
        lifetime=lifetime,
        lifetimes=LIFETIMES,
        name=name,
        problem=problem,
        token=token,
    )
