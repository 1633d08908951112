"""Deleting a token."""

from starlette.responses import Response

from doorward.v1.token_service_pb2 import DeleteTokenRequest
from doorward_server.web.console.api import NARROWING_SECONDS
from doorward_server.web.console.tokens.addresses import TOKENS
from doorward_server.web.console.tokens.edit import token_of
from doorward_server.web.console.tokens.scope import scope_of
from doorward_server.web.console.visit import Visit


async def ask_to_delete(visit: Visit) -> Response:
    """The question, with what would follow."""
    token = await token_of(visit)
    return visit.page(
        "tokens/delete.html",
        back=TOKENS,
        own=token.token_id == visit.token.token_id,
        problem=None,
        scope=await scope_of(visit, token),
        token=token,
    )


async def delete(visit: Visit) -> Response:
    """Do it."""
    request = DeleteTokenRequest(token_id=visit.path["token_id"], etag=visit.fields.get("etag", ""))
    await visit.api.call(visit.api.tokens.DeleteToken, request, seconds=NARROWING_SECONDS)
    return visit.done(TOKENS, "token-deleted")
