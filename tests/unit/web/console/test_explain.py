"""The page that explains access."""

from typing import Any
from urllib.parse import urlencode

import grpc
import pytest

from doorward.v1.app_pb2 import App
from doorward.v1.app_service_pb2 import ListAppsResponse
from doorward.v1.token_pb2 import Token
from doorward.v1.token_service_pb2 import (
    AccessRule,
    ExplainAccessRequest,
    ExplainAccessResponse,
    ListTokensResponse,
)
from doorward_server.check.denials import DENIALS
from doorward_server.domain.credentials import mint_secret
from doorward_server.domain.decision import Reason, Rule
from doorward_server.domain.ids import TokenId
from doorward_server.web.console.audit.filter import AuditFilter
from doorward_server.web.console.explain.answers import answer_of
from tests.unit.web.console.conftest import Console, text_of
from tests.unit.web.console.fake_api import RefusedError

TOKEN, TWIN, OTHER = "0123456789aB", "0123456789aC", "0123456789aD"
APP = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"

# What a good secret, sent well to an app's own host, may come to.
POSSIBLE = {
    *(Reason.ALLOWED, Reason.PUBLIC_APP, Reason.UNKNOWN_TOKEN, Reason.EXPIRED_TOKEN, Reason.OUT_OF_REGION),
    *(Reason.OUT_OF_SCOPE, Reason.AMBIGUOUS_PATH, Reason.ROLE_TOO_LOW, Reason.APP_NOT_RUNNING),
}


def asked(**params: str) -> str:
    """The address of a question."""
    return f"/explain?{urlencode(params)}"


def explained(reason: Reason) -> ExplainAccessResponse:
    """What api answers."""
    return ExplainAccessResponse(
        allowed=reason.allowed,
        reason=reason.name,
        http_status=reason.http_status,
        rules=[AccessRule(rule=reason.rule.name.lower(), passed=reason.allowed, detail="a <b> c")],
    )


@pytest.fixture(autouse=True)
def answers(console: Console) -> dict[str, Any]:
    """Two tokens of one name, one of another, and an app."""
    tokens = [
        Token(token_id=TOKEN, display_name="demo"),
        Token(token_id=TWIN, display_name="twin"),
        Token(token_id=OTHER, display_name="twin"),
    ]
    console.api.answers |= {
        "ListTokens": lambda _: ListTokensResponse(tokens=tokens),
        "ListApps": lambda _: ListAppsResponse(apps=[App(app_id=APP, display_name="chat", region="GRA")]),
        "ExplainAccess": lambda _: explained(Reason.OUT_OF_SCOPE),
    }
    return console.api.answers


async def test_the_empty_form_asks_nothing(console: Console) -> None:
    """It offers what there is, by name."""
    page = await console.open("/explain")
    assert page.status_code == 200
    assert f'<option value="{TOKEN}">demo' in page.text
    assert f'<option value="{APP}">chat (GRA)' in page.text
    assert console.api.asked("ExplainAccess") == []


@pytest.mark.parametrize(
    ("token", "app"),
    [
        (TOKEN, APP),
        ("demo", "chat"),
        (f" {TOKEN} ", f"http://{APP.upper()}.app.gra.localhost:8080/x"),
    ],
)
async def test_token_and_app_are_found_as_people_name_them(console: Console, token: str, app: str) -> None:
    """By id, by a name that is one's own, by the app's address."""
    page = await console.open(asked(token=token, app=app, method="POST", path="/v1?x=1"))
    assert page.status_code == 200
    (request,) = console.api.asked("ExplainAccess")
    assert request == ExplainAccessRequest(token_id=TOKEN, app_id=APP, method="POST", path="/v1?x=1")
    said = text_of(page)
    for words in (
        "Denied",
        "selector does not match",
        "403 Forbidden",
        "OUT_OF_SCOPE",
        "a &lt;b&gt; c",
        "demo",
    ):
        assert words in said
    assert "The same as for an app that does not exist" in said
    assert "no: this rule decides" in said


async def test_a_secret_that_is_pasted_counts_as_its_id(console: Console) -> None:
    """And is not repeated; on the audit's page neither."""
    secret = mint_secret(TokenId(TOKEN)).reveal()
    page = await console.open(asked(token=f" {secret}", app=APP, path=f"/{secret}"))
    (request,) = console.api.asked("ExplainAccess")
    assert (request.token_id, request.path) == (TOKEN, f"/{TOKEN}")
    assert secret.split("_")[2] not in page.text
    assert AuditFilter.read({"actor": secret, "resource": secret}).params() == {
        "actor": TOKEN,
        "resource": TOKEN,
    }


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"token": "twin", "app": "chat"}, "More than one token is called that"),
        ({"token": "nobody", "app": "chat"}, "No token has this id or name"),
        ({"token": "demo", "app": "nothing"}, "No app has this id or name"),
        ({"token": "demo", "path": "/"}, "Choose an app."),
        ({"app": "chat", "path": "/"}, "Choose a token."),
    ],
)
async def test_what_is_not_found_is_said_at_its_field(
    console: Console, params: dict[str, Any], says: str
) -> None:
    """And nothing is asked."""
    page = await console.open(asked(**params))
    assert page.status_code == 400
    assert says in text_of(page)
    assert console.api.asked("ExplainAccess") == []


@pytest.mark.parametrize("name", ["token", "app"])
async def test_a_link_fills_in_a_part_of_the_form(console: Console, name: str) -> None:
    """It asks nothing yet, and finds no fault with what nobody has filled in."""
    page = await console.open(asked(**{name: "x"}))
    assert page.status_code == 200
    assert f'name="{name}" value="x"' in page.text
    assert "aria-invalid" not in page.text
    assert console.api.asked("ExplainAccess") == []


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (RefusedError(grpc.StatusCode.NOT_FOUND, "TOKEN_NOT_FOUND"), "There is no such token any more."),
        (RefusedError(grpc.StatusCode.NOT_FOUND, "APP_NOT_FOUND"), "There is no such app any more."),
        (
            RefusedError(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", fields={"path": "must begin"}),
            "Must begin.",
        ),
    ],
)
async def test_what_api_refuses_is_said_at_its_field(
    console: Console, error: RefusedError, says: str
) -> None:
    """The question stays."""
    console.api.refuse("ExplainAccess", error)
    page = await console.open(asked(token=TOKEN, app=APP, path='"><b>'))
    assert page.status_code == 400
    assert says in text_of(page)
    assert 'value="&#34;&gt;&lt;b&gt;"' in page.text


@pytest.mark.parametrize("reason", Reason)
def test_every_answer_is_what_the_client_gets(reason: Reason) -> None:
    """Status and challenge are check's own; whoever may do something about it is told what."""
    answer = answer_of(ExplainAccessRequest(), explained(reason))
    assert answer.text == reason.description
    if reason.allowed:
        assert (answer.status, answer.headers) == ("", ())
        return
    denial = DENIALS[reason]
    assert answer.status == f"{denial.status.value} {denial.status.phrase}"
    if reason in POSSIBLE:
        assert answer.remedy
        sent = [f"{name}: {value}".lower() for name, value in denial.headers.items()]
        assert len(answer.headers) == len(sent)
        for shown, value in zip(answer.headers, sent, strict=True):
            assert value.startswith(shown.lower())
    assert answer.hides == (denial is DENIALS[Reason.UNKNOWN_APP])


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_has_words(rule: Rule) -> None:
    """Those of the decision itself."""
    answer = answer_of(
        ExplainAccessRequest(), ExplainAccessResponse(rules=[AccessRule(rule=rule.name.lower(), passed=True)])
    )
    assert answer.steps[0].rule.lower() == rule.value.lower()


def test_a_newer_api_may_have_other_reasons() -> None:
    """They are shown as they are."""
    response = ExplainAccessResponse(reason="NEW", http_status=499, rules=[AccessRule(rule="moon")])
    answer = answer_of(ExplainAccessRequest(), response)
    assert (answer.reason, answer.text, answer.status, answer.steps[0].rule) == ("NEW", "", "499", "Moon")


def test_the_time_of_a_rule_is_told_apart() -> None:
    """For the reader's zone; words that only look like one are words."""
    details = {
        "expires 2030-01-31T14:00:00.250000+00:00": ("expires", "2030-01-31T14:00:00.250000+00:00"),
        "expires never": ("expires never", ""),
        "path /2030-01-31T14:00:00+00:00": ("path /2030-01-31T14:00:00+00:00", ""),
    }
    for detail, split in details.items():
        response = ExplainAccessResponse(rules=[AccessRule(rule="token", detail=detail)])
        (step,) = answer_of(ExplainAccessRequest(), response).steps
        assert (step.detail, step.time) == split
