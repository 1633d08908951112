"""What the console says of what api did not do."""

from http import HTTPStatus
from typing import Final

import grpc

from doorward.v1.role_pb2 import Role
from doorward_server.web.attempts import Problem
from doorward_server.web.console.failures import ApiError
from doorward_server.web.console.words import role

TOO_OLD: Final = Problem(
    HTTPStatus.FORBIDDEN,
    "The page was too old",
    "Nothing was changed. Go back, load the page again and repeat. If this comes back, allow cookies for this"
    " address.",
)
ELSEWHERE: Final = Problem(
    HTTPStatus.FORBIDDEN,
    "Another website asked for this page",
    "It was not shown to it. Type the console's address yourself to come here.",
)
NOT_ALLOWED_HERE: Final = Problem(
    HTTPStatus.METHOD_NOT_ALLOWED, "This cannot be done here", "The address takes no forms."
)
NOTHING_HERE: Final = Problem(
    HTTPStatus.NOT_FOUND, "There is nothing at this address", "The navigation leads to what there is."
)

_NOT_FOUND: Final = {
    "APP_NOT_FOUND": "There is no such app. It may have been deleted, or your token does not cover it.",
    "TOKEN_NOT_FOUND": "There is no such token. It may have been deleted.",
}
_AWAY: Final = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "Doorward's API does not answer",
    "What you asked for may or may not have been done. Look again in a moment.",
    2,
)


def problem_of(error: ApiError) -> Problem:
    """What to say, and what to do about it."""
    match error.code:
        case grpc.StatusCode.NOT_FOUND:
            text = _NOT_FOUND.get(error.reason, "It may have been deleted.")
            return Problem(HTTPStatus.NOT_FOUND, "This is not here", text)
        case grpc.StatusCode.PERMISSION_DENIED:
            return Problem(HTTPStatus.FORBIDDEN, "Your token may not do this", _sentence(error.text))
        case grpc.StatusCode.INVALID_ARGUMENT:
            return Problem(HTTPStatus.BAD_REQUEST, "This was not understood", _violations(error))
        case grpc.StatusCode.ABORTED if error.reason == "ETAG_MISMATCH":
            return Problem(
                HTTPStatus.CONFLICT,
                "Somebody else was faster",
                "It has changed since you opened the page, and nothing of yours was done. Look at it again.",
            )
        case grpc.StatusCode.ABORTED | grpc.StatusCode.FAILED_PRECONDITION:
            return Problem(HTTPStatus.CONFLICT, "This cannot be done now", _sentence(error.text))
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            return Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "Doorward has too much to do", _sentence(error.text), 2
            )
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.DEADLINE_EXCEEDED:
            return _AWAY
        case _:
            name = f" as {error.request_id}" if error.request_id else ""
            return Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "Something went wrong",
                f"The fault is Doorward's, and its log has it{name}.",
            )


def role_needed(title: str, needed: Role.ValueType, has: Role.ValueType) -> Problem:
    """What to say to a visitor of a section that is for those of a higher role."""
    return Problem(
        HTTPStatus.FORBIDDEN,
        f"{title} needs the role {role(needed)}",
        f"Your token has the role {role(has)}. Sign in with another token, or ask whoever gave you yours.",
    )


def _violations(error: ApiError) -> str:
    return "; ".join(f"{name}: {rule}" for name, rule in error.fields.items()) or _sentence(error.text)


def _sentence(text: str) -> str:
    """What api says, as a sentence for people."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
