"""The page that explains access."""

from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from doorward_server.web.console.explain.answers import Answer, answer_of
from doorward_server.web.console.explain.question import METHODS, Question
from doorward_server.web.console.failures import ApiError
from doorward_server.web.console.field_errors import field_errors
from doorward_server.web.console.names import Known, known
from doorward_server.web.console.visit import Visit

EXPLAIN: Final = "/explain"

_FIELDS: Final = {"token_id": "token", "app_id": "app", "method": "method", "path": "path"}
"""The field of the page for each of the request's."""
_MISSING: Final = {
    "TOKEN_NOT_FOUND": {"token": "There is no such token any more."},
    "APP_NOT_FOUND": {"app": "There is no such app any more."},
}


async def explain(visit: Visit) -> Response:
    """The form, and the answer below it. It changes nothing, so the question is in the address."""
    question, everything = Question.read(visit.query), await known(visit)
    answer, errors = await _answer(visit, question, everything) if question.is_asked else (None, {})
    return visit.page(
        "explain/page.html",
        status=HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK,
        answer=answer,
        errors=errors,
        known=everything,
        methods=METHODS,
        names=everything.names(),
        question=question,
    )


async def _answer(
    visit: Visit, question: Question, everything: Known
) -> tuple[Answer | None, dict[str, str]]:
    request, errors = question.request(everything)
    if errors:
        return None, errors
    try:
        return answer_of(request, await visit.api.call(visit.api.tokens.ExplainAccess, request)), {}
    except ApiError as error:
        if error.reason in _MISSING:
            return None, _MISSING[error.reason]
        return None, field_errors(error, _FIELDS)
