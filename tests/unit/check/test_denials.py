"""What a client is told when it is denied."""

import json
from dataclasses import replace
from html import escape, unescape

import pytest
from envoy.service.auth.v3.external_auth_pb2 import CheckResponse

from doorward_server.check.denials import DENIALS, UNREADABLE, Form
from doorward_server.domain.decision import Reason
from tests.unit.check.answer import Answer
from tests.unit.check.check_requests import check_request
from tests.unit.check.scenes import (
    APPS,
    DENIES,
    OPEN,
    OTHER_GROUP,
    SCENES,
    TOKENS,
    replica_for,
)
from tests.unit.check.small_replica import SmallReplica

NAVIGATES = ("sec-fetch-mode", b"navigate")
CHALLENGED = {
    Reason.NO_CREDENTIAL: None,
    Reason.MALFORMED_CREDENTIAL: "invalid_request",
    Reason.REPEATED_CREDENTIAL: "invalid_request",
    Reason.UNKNOWN_TOKEN: "invalid_token",
    Reason.EXPIRED_TOKEN: "invalid_token",
    Reason.UNKNOWN_SESSION: "invalid_token",
    Reason.EXPIRED_SESSION: "invalid_token",
    Reason.UNKNOWN_APP: "insufficient_scope",
    Reason.OUT_OF_REGION: "insufficient_scope",
    Reason.OUT_OF_SCOPE: "insufficient_scope",
    Reason.ROLE_TOO_LOW: "insufficient_scope",
}
"""The errors of RFC 6750 §3.1; §3 has none for a request without a credential."""


def denial(reason: Reason, form: Form = Form.PROBLEM) -> Answer:
    """What is told, end to end."""
    headers = [NAVIGATES] if form is Form.PAGE else []
    return replica_for(reason).ask(**SCENES[reason].with_headers(*headers))


def told(replica: SmallReplica, reason: Reason, form: Form) -> bytes:
    """The part of an answer that reaches the client, as bytes."""
    headers = [NAVIGATES] if form is Form.PAGE else []
    response = replica.handle(check_request(**SCENES[reason].with_headers(*headers)))
    payload: bytes = CheckResponse.FromString(response).denied_response.SerializeToString(deterministic=True)
    assert payload
    return payload


def test_every_reason_that_denies_has_a_denial() -> None:
    """And those that allow have none."""
    assert set(DENIALS) == set(DENIES)


@pytest.mark.parametrize("reason", DENIES)
def test_a_program_is_told_by_a_problem(reason: Reason) -> None:
    """RFC 9457: title, status and detail, of its own media type, and kept by nobody."""
    answer = denial(reason)
    assert answer.status == reason.http_status
    problem = json.loads(answer.body)
    assert problem.keys() == {"title", "status", "detail"}
    assert problem["status"] == reason.http_status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("reason", DENIES)
def test_a_browser_is_told_by_a_page(reason: Reason) -> None:
    """The same words and status, in HTML that runs nothing and loads nothing."""
    page, problem = denial(reason, Form.PAGE), denial(reason)
    assert page.status == problem.status
    assert page.body.startswith("<!doctype html>")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"
    words = json.loads(problem.body)
    assert f"<title>{escape(words['title'])}</title>" in page.body
    assert f"<p>{escape(words['detail'])}</p>" in page.body


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("reason", DENIES)
def test_the_challenge_is_that_of_the_standard(reason: Reason, form: Form) -> None:
    """RFC 6750 §3: the realm, and the error where there is one; none where no other token would help."""
    challenge = denial(reason, form).headers.get("www-authenticate")
    if reason not in CHALLENGED:
        assert challenge is None
    elif (error := CHALLENGED[reason]) is None:
        assert challenge == 'Bearer realm="doorward"'
    else:
        assert challenge is not None
        assert challenge.startswith(f'Bearer realm="doorward", error="{error}", error_description="')


@pytest.mark.parametrize("reason", DENIES)
def test_what_passes_by_itself_says_when_to_come_again(reason: Reason) -> None:
    """503 comes with `Retry-After`, and nothing else does."""
    retry = denial(reason).headers.get("retry-after")
    assert (retry is not None and int(retry) > 0) == (reason.http_status == 503)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("login_enabled", [True, False])
def test_an_app_that_is_there_is_denied_as_one_that_is_not(form: Form, login_enabled: bool) -> None:
    """Unknown, out of region, out of scope: byte for byte the same, so that nobody can look for apps."""
    replica = SmallReplica(*APPS, *TOKENS, login_enabled=login_enabled)
    answers = {
        told(replica, reason, form)
        for reason in (Reason.UNKNOWN_APP, Reason.OUT_OF_REGION, Reason.OUT_OF_SCOPE)
    }
    assert len(answers) == 1


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("reason", [Reason.OUT_OF_SCOPE, Reason.NO_CREDENTIAL, Reason.UNKNOWN_TOKEN])
def test_a_denial_does_not_tell_the_state_of_the_app(reason: Reason, form: Form) -> None:
    """Whether the app runs, and has paths for operators alone, is for those to know who may use it."""
    app = OTHER_GROUP if reason is Reason.OUT_OF_SCOPE else OPEN
    replica = replica_for(reason)
    before = told(replica, reason, form)
    replica.put(replace(app, upstream=None, operator_paths=("/",), cors_preflight=True))
    assert told(replica, reason, form) == before
    replica.index.remove_app(app.app_id)
    assert told(replica, reason, form) == before


@pytest.mark.parametrize("form", Form)
def test_a_secret_that_has_ended_is_denied_as_one_that_never_was(form: Form) -> None:
    """Expired and unknown: byte for byte the same."""
    replica = replica_for(Reason.EXPIRED_TOKEN)
    assert told(replica, Reason.EXPIRED_TOKEN, form) == told(replica, Reason.UNKNOWN_TOKEN, form)


@pytest.mark.parametrize("words", ['<b>"&', "it's <token>"])
def test_a_page_is_well_formed_whatever_its_words(words: str) -> None:
    """Words with quotes or brackets in them stay words."""
    page = replace(UNREADABLE, title=words, detail=words).body(Form.PAGE)
    assert words not in page
    for tag in ("title", "h1", "p"):
        assert unescape(page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]) == words
