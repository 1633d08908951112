"""What a client is told when it is denied: status, headers and body, one for each kind of denial.

Made once, from constants alone: nothing of a request is reflected, and what must not be told apart (an app
out of scope, and one that does not exist) is one and the same object. Statuses and challenges are those of
RFC 6750 §3, bodies those of RFC 9457.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from html import escape
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from doorward_server.domain.decision import Reason

_CHALLENGE: Final = 'Bearer realm="doorward"'


class Form(Enum):
    """Whom a denial is for."""

    PROBLEM = "a program"
    PAGE = "a browser that goes to an address"


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """One kind of denial."""

    status: HTTPStatus
    title: str
    detail: str
    headers: Mapping[str, str]

    def body(self, form: Form) -> str:
        """The body in one of the forms."""
        if form is Form.PAGE:
            return _PAGE.format(
                status=self.status.value, title=escape(self.title), detail=escape(self.detail)
            )
        problem = {"title": self.title, "status": self.status.value, "detail": self.detail}
        return json.dumps(problem) + "\n"

    def all_headers(self, form: Form) -> dict[str, str]:
        """The headers that go with the body."""
        return {**_HEADERS[form], **self.headers}


_PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<h1>{title}</h1>
<p>{detail}</p>
<p><small>{status}, Doorward</small></p>
</html>
"""

_HEADERS: Final[Mapping[Form, Mapping[str, str]]] = MappingProxyType(
    {
        Form.PROBLEM: {"content-type": "application/problem+json", "cache-control": "no-store"},
        Form.PAGE: {
            "content-type": "text/html; charset=utf-8",
            "cache-control": "no-store",
            "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
            "x-content-type-options": "nosniff",
        },
    }
)


def _challenged(error: str, description: str) -> dict[str, str]:
    return {"www-authenticate": f'{_CHALLENGE}, error="{error}", error_description="{description}"'}


_NO_CREDENTIAL: Final = Denial(
    status=HTTPStatus.UNAUTHORIZED,
    title="A token is needed",
    detail="Send a token of this app as `Authorization: Bearer <token>`.",
    headers={"www-authenticate": _CHALLENGE},
)
_INVALID_TOKEN: Final = Denial(
    status=HTTPStatus.UNAUTHORIZED,
    title="The token does not work",
    detail="It is unknown, has expired, or its secret was replaced.",
    headers=_challenged("invalid_token", "The token is unknown, expired or replaced"),
)
_NO_SESSION: Final = Denial(
    status=HTTPStatus.UNAUTHORIZED,
    title="The session has ended",
    detail="Log in again, or send a token of this app as `Authorization: Bearer <token>`.",
    headers=_challenged("invalid_token", "The session has ended"),
)
_MALFORMED: Final = Denial(
    status=HTTPStatus.BAD_REQUEST,
    title="The credential is malformed",
    detail="What was sent is not of the form of a token; was it cut short?",
    headers=_challenged("invalid_request", "The credential is malformed"),
)
_REPEATED: Final = Denial(
    status=HTTPStatus.BAD_REQUEST,
    title="There are two credentials",
    detail="A header with a credential was sent more than once.",
    headers=_challenged("invalid_request", "More than one credential was sent"),
)
_OUT_OF_SCOPE: Final = Denial(
    status=HTTPStatus.FORBIDDEN,
    title="Not in the token's scope",
    detail="The token works, but it opens no app at this address.",
    headers=_challenged("insufficient_scope", "The token opens no app at this address"),
)
_ROLE_TOO_LOW: Final = Denial(
    status=HTTPStatus.FORBIDDEN,
    title="The token's role is too low",
    detail="This path of the app needs a token with the role OPERATOR.",
    headers=_challenged("insufficient_scope", "This path needs the role OPERATOR"),
)
_AMBIGUOUS_PATH: Final = Denial(
    status=HTTPStatus.BAD_REQUEST,
    title="The path is ambiguous",
    detail="It can be read in two ways, and this app has paths that need a higher role.",
    headers={},
)
_NOT_RUNNING: Final = Denial(
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    title="The app is not running",
    detail="It is stopped, or still starting.",
    headers={"retry-after": "5"},
)
_STALE: Final = Denial(
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    title="Access cannot be checked",
    detail="The access check has lost touch with its control plane. Try again in a moment.",
    headers={"retry-after": "1"},
)
UNREADABLE: Final = Denial(
    status=HTTPStatus.BAD_REQUEST,
    title="The request cannot be read",
    detail="It holds what the access check cannot decode.",
    headers={},
)
"""For what is no CheckRequest of an HTTP request."""

DENIALS: Final[Mapping[Reason, Denial]] = MappingProxyType(
    {
        Reason.STALE_POLICY: _STALE,
        Reason.NO_CREDENTIAL: _NO_CREDENTIAL,
        Reason.MALFORMED_CREDENTIAL: _MALFORMED,
        Reason.REPEATED_CREDENTIAL: _REPEATED,
        Reason.UNKNOWN_TOKEN: _INVALID_TOKEN,
        Reason.EXPIRED_TOKEN: _INVALID_TOKEN,
        Reason.UNKNOWN_SESSION: _NO_SESSION,
        Reason.EXPIRED_SESSION: _NO_SESSION,
        Reason.UNKNOWN_APP: _OUT_OF_SCOPE,
        Reason.OUT_OF_REGION: _OUT_OF_SCOPE,
        Reason.OUT_OF_SCOPE: _OUT_OF_SCOPE,
        Reason.AMBIGUOUS_PATH: _AMBIGUOUS_PATH,
        Reason.ROLE_TOO_LOW: _ROLE_TOO_LOW,
        Reason.APP_NOT_RUNNING: _NOT_RUNNING,
    }
)
"""The denial for every reason that denies."""
