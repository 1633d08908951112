"""Giving a token a new secret."""

from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from google.protobuf.duration_pb2 import Duration
from starlette.responses import Response

from doorward.v1.token_service_pb2 import RegenerateTokenRequest
from doorward_server.web.attempts import Problem
from doorward_server.web.console.api import NARROWING_SECONDS
from doorward_server.web.console.failures import ApiError
from doorward_server.web.console.tokens.addresses import TOKENS
from doorward_server.web.console.tokens.edit import token_of
from doorward_server.web.console.tokens.list import list_with_problem, list_with_secret
from doorward_server.web.console.tokens.scope import scope_of
from doorward_server.web.console.visit import Visit

GRACE_PERIODS: Final = MappingProxyType(
    {"0": "at once", "3600": "in 1 hour", "86400": "in 1 day", "604800": "in 7 days"}
)
"""When the former secret may stop to work: seconds, and their name."""

_CHANGED: Final = Problem(
    HTTPStatus.CONFLICT,
    "No new secret was made",
    "The token has changed since the question was asked, or the page was reloaded. A secret is shown once,"
    " when it is made. If nobody has copied it, regenerate the token again.",
)


async def ask_to_regenerate(visit: Visit) -> Response:
    """The question, with what would follow."""
    token = await token_of(visit)
    return visit.page(
        "tokens/regenerate.html",
        back=TOKENS,
        grace_periods=GRACE_PERIODS,
        own=token.token_id == visit.token.token_id,
        problem=None,
        scope=await scope_of(visit, token),
        token=token,
    )


async def regenerate(visit: Visit) -> Response:
    """Do it, and show the secret. Sent again, it does nothing: the token is another one by then."""
    grace = visit.fields.get("grace", "")
    # Who asks for none that there is gets none.
    seconds = int(grace) if grace in GRACE_PERIODS else 0
    request = RegenerateTokenRequest(
        token_id=visit.path["token_id"],
        grace_period=Duration(seconds=seconds),
        # Never empty: without one, a page that is reloaded would make one secret after the other.
        etag=visit.fields.get("etag") or "none",
    )
    try:
        answer = await visit.api.call(visit.api.tokens.RegenerateToken, request, seconds=NARROWING_SECONDS)
    except ApiError as error:
        if error.reason == "ETAG_MISMATCH":
            return await list_with_problem(visit, _CHANGED)
        raise
    return await list_with_secret(visit, answer.token, answer.secret)
