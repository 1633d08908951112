"""The list of tokens, and the secret of one that was just made: shown at its top, once."""

from dataclasses import dataclass
from http import HTTPStatus

import grpc
from starlette.responses import Response

from doorward.v1.token_pb2 import Token
from doorward.v1.token_service_pb2 import ListTokensRequest, ListTokensResponse
from doorward_server.web.attempts import Problem
from doorward_server.web.console.failures import ApiError
from doorward_server.web.console.paging import PAGE_SIZE, pager
from doorward_server.web.console.tokens.addresses import TOKENS
from doorward_server.web.console.tokens.scope import scope_of
from doorward_server.web.console.visit import Visit


@dataclass(frozen=True, slots=True)
class Issued:
    """A secret on its way to the one page that shows it. Neither an address nor a cookie ever has it."""

    token: Token
    secret: str
    url: str | None
    """The address of an app that it opens."""

    def __repr__(self) -> str:
        return f"Issued({self.token.token_id})"


async def list_tokens(visit: Visit) -> Response:
    """The tokens, newest first."""
    page = visit.query.get("page", "")
    return _page(visit, await _tokens(visit, page), page=page)


async def list_with_secret(visit: Visit, token: Token, secret: str) -> Response:
    """The list under a secret that was just made.

    Whatever goes wrong from here on, the secret is shown: nobody has it otherwise.
    """
    try:
        issued = Issued(token, secret, (await scope_of(visit, token)).url)
        return _page(visit, await _tokens(visit, ""), issued=issued)
    except ApiError as error:
        # Its own session has ended, for one that regenerates its own token.
        signed_out = error.code is grpc.StatusCode.UNAUTHENTICATED
        return visit.page("tokens/secret.html", issued=Issued(token, secret, None), signed_out=signed_out)


async def list_with_problem(visit: Visit, problem: Problem) -> Response:
    """The list under a word on why nothing was done."""
    return _page(visit, await _tokens(visit, ""), problem=problem)


async def _tokens(visit: Visit, page: str) -> ListTokensResponse:
    request = ListTokensRequest(page_size=PAGE_SIZE, page_token=page)
    return await visit.api.call(visit.api.tokens.ListTokens, request)


def _page(
    visit: Visit,
    answer: ListTokensResponse,
    *,
    page: str = "",
    issued: Issued | None = None,
    problem: Problem | None = None,
) -> Response:
    return visit.page(
        "tokens/list.html",
        status=HTTPStatus.OK if problem is None else problem.status,
        issued=issued,
        pager=pager(TOKENS, [], page=page, next_page=answer.next_page_token),
        problem=problem,
        tokens=answer.tokens,
    )
