"""What a client sees of a decision (docs/decision.md, "The answer")."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from doorward.v1.token_service_pb2 import ExplainAccessRequest, ExplainAccessResponse
from doorward_server.domain.decision import Reason, Rule

_HEADERS: Final = {
    401: ('WWW-Authenticate: Bearer realm="doorward", error="invalid_token"',),
    403: ('WWW-Authenticate: Bearer realm="doorward", error="insufficient_scope"',),
    503: ("Retry-After: 5",),
}
"""Of the denials of a token that was presented well."""
_NOT_TOLD_APART: Final = frozenset({Reason.UNKNOWN_APP, Reason.OUT_OF_REGION, Reason.OUT_OF_SCOPE})

_REMEDIES: Final = {
    Reason.EXPIRED_TOKEN: "Give the token a later expiry, or make another one.",
    Reason.UNKNOWN_TOKEN: "Its secret was made under another platform key: it works again once it was"
    " used with the API or the console.",
    Reason.OUT_OF_REGION: "A token's region cannot be changed: make one for the app's region.",
    Reason.OUT_OF_SCOPE: "Label the app so that the selector matches, or make a token with another selector.",
    Reason.AMBIGUOUS_PATH: "Ask for the path in its plain form: the app has paths for operators, and this one"
    " could be read as one of them.",
    Reason.ROLE_TOO_LOW: "Make a token with the role OPERATOR, or take the path off the app's list.",
    Reason.APP_NOT_RUNNING: "Start the app, or look at its page for why it does not run.",
}


_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00", re.ASCII)


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that was looked at."""

    rule: str
    """What it asks for, in words."""
    detail: str
    """What was compared."""
    time: str
    """The time that it ends with, in RFC 3339; empty when there is none."""
    passed: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision, in words."""

    token_id: str
    app_id: str
    allowed: bool
    reason: str
    """As the access log names it."""
    text: str
    remedy: str
    steps: tuple[Step, ...]
    status: str
    """What the client gets; empty when the app answers itself."""
    headers: tuple[str, ...]
    hides: bool
    """Whether the client gets the same for an app that does not exist."""


def answer_of(request: ExplainAccessRequest, response: ExplainAccessResponse) -> Answer:
    """A decision of this version's api, or of a newer one with reasons that have no words here yet."""
    reason = Reason.__members__.get(response.reason)
    status = _status(response.http_status)
    return Answer(
        token_id=request.token_id,
        app_id=request.app_id,
        allowed=response.allowed,
        reason=response.reason,
        text="" if reason is None else reason.description,
        remedy="" if reason is None else _REMEDIES.get(reason, ""),
        steps=tuple(_step(each.rule, each.detail, passed=each.passed) for each in response.rules),
        status="" if response.allowed else status,
        headers=() if response.allowed else _HEADERS.get(response.http_status, ()),
        hides=reason in _NOT_TOLD_APART,
    )


def _status(number: int) -> str:
    return f"{number} {HTTPStatus(number).phrase}" if number in set(HTTPStatus) else str(number)


def _step(rule: str, detail: str, *, passed: bool) -> Step:
    known = Rule.__members__.get(rule.upper())
    words = rule if known is None else known.value
    text, time = _split_time("" if detail == words else detail)
    return Step(f"{words[:1].upper()}{words[1:]}", text, time, passed)


def _split_time(detail: str) -> tuple[str, str]:
    """What api says, and the time at its end: in UTC there, to be shown in the reader's zone."""
    text, _, last = detail.rpartition(" ")
    return (text, last) if _TIME.fullmatch(last) else (detail, "")
