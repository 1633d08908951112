"""What Envoy is told to do with a request, to the bytes."""

from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from envoy.config.core.v3.base_pb2 import HeaderValueOption
from envoy.service.auth.v3.external_auth_pb2 import CheckResponse

from doorward_server.check import answers
from doorward_server.check.answers import Answers
from doorward_server.check.denials import Form
from doorward_server.domain.decision import Decision, Reason
from doorward_server.domain.ids import AppId
from doorward_server.domain.policy import Address
from doorward_server.domain.roles import Role
from tests.unit.check.answer import Answer, read_answer
from tests.unit.check.check_requests import check_request
from tests.unit.check.scenes import OPEN, PUBLIC, READER, READER_SECRET, SCENES, replica_for, visit
from tests.unit.check.small_replica import bearer

ALLOWED = Decision(Reason.ALLOWED, OPEN, READER)


def encode(
    kept: Answers,
    decision: Decision = ALLOWED,
    *,
    remove: tuple[str, ...] = ("authorization",),
    form: Form = Form.PROBLEM,
) -> bytes:
    """The answer of one who keeps answers."""
    return kept.encode(decision, remove=remove, form=form)


def answer_to(decision: Decision, **options: Any) -> Answer:
    """The answer of one who has kept none."""
    return read_answer(encode(Answers(), decision, **options))


def test_the_app_is_told_who_asks() -> None:
    """Its own id, the token's and the token's role."""
    assert answer_to(ALLOWED).headers == {
        "x-doorward-app-id": OPEN.app_id,
        "x-doorward-token-id": READER.token_id,
        "x-doorward-role": "READ_ONLY",
    }
    for role in Role:
        decision = Decision(Reason.ALLOWED, OPEN, replace(READER, role=role))
        assert answer_to(decision).headers["x-doorward-role"] == role.name


def test_without_a_token_the_app_is_told_of_none() -> None:
    """A public app is told its own id alone."""
    assert answer_to(Decision(Reason.PUBLIC_APP, PUBLIC)).headers == {"x-doorward-app-id": PUBLIC.app_id}


@pytest.mark.parametrize("reason", Reason)
def test_headers_are_set_and_never_added_to(reason: Reason) -> None:
    """Both flags say so: versions of Envoy differ in which of them they read."""
    response = CheckResponse.FromString(replica_for(reason).handle(check_request(**SCENES[reason].request)))
    options = [*response.ok_response.headers, *response.denied_response.headers]
    assert options
    for option in options:
        assert option.HasField("append")
        assert not option.append.value
        assert option.append_action == HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD


_BASIC = ("authorization", b"Basic " + b64encode(b"user:" + READER_SECRET.encode()))
_OWN = ("doorward-token", READER_SECRET.encode())


@pytest.mark.parametrize(
    ("headers", "removed"),
    [
        ([bearer(READER_SECRET)], ("authorization",)),
        ([_BASIC], ("authorization",)),
        ([_OWN], ("doorward-token",)),
        ([("authorization", b"Bearer the-apps-own"), _OWN], ("doorward-token",)),
        ([bearer(READER_SECRET), _OWN], ("authorization", "doorward-token")),
    ],
    ids=["bearer", "basic", "header of ours", "beside the app's own", "both"],
)
@pytest.mark.parametrize("app", [OPEN, PUBLIC], ids=["token needed", "public"])
def test_what_holds_a_token_is_removed_and_that_alone(
    app: Any, headers: list[tuple[str, bytes]], removed: tuple[str, ...]
) -> None:
    """An app never sees a token, keeps what is its own, and no header is both set and removed."""
    answer = replica_for(Reason.ALLOWED).ask(**visit(app, *headers))
    assert answer.status == 200
    assert answer.removed == removed
    assert not set(answer.removed) & set(answer.headers)


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("app.internal", "app.internal"),
        ("::1", "[::1]"),
        ("fd00::7", "[fd00::7]"),
    ],
)
def test_envoy_is_told_where_the_app_is(host: str, told: str) -> None:
    """The address of the app that was decided on, IPv6 in brackets."""
    app = replace(OPEN, upstream=Address(host=host, port=65535))
    facts = answer_to(Decision(Reason.ALLOWED, app, READER)).facts
    assert (facts["upstream_host"], facts["upstream_port"]) == (told, "65535")


def test_a_denial_has_no_address() -> None:
    """Nothing that is denied could be sent to the app by a slip in Envoy's configuration."""
    facts = answer_to(Decision(Reason.OUT_OF_SCOPE, OPEN, READER)).facts
    assert facts.keys() == {"reason", "app_id", "region", "token_id", "role"}


@pytest.mark.parametrize("app", [None, replace(OPEN, upstream=None)])
def test_nothing_is_allowed_that_cannot_be_reached(app: Any) -> None:
    """An allow without an address is a defect, and no answer."""
    with pytest.raises(ValueError, match="without an app to reach"):
        encode(Answers(), Decision(Reason.ALLOWED, app, READER))


def test_an_answer_is_kept() -> None:
    """The same decision on the same entries is not encoded again."""
    kept = Answers()
    assert encode(kept) is encode(kept)


@pytest.mark.parametrize(
    ("changed", "fact"),
    [
        (replace(ALLOWED, app=replace(OPEN, upstream=Address(host="127.0.0.1", port=2))), "upstream_port"),
        (replace(ALLOWED, token=replace(READER, role=Role.OPERATOR)), "role"),
    ],
    ids=["app", "token"],
)
def test_a_kept_answer_ends_with_either_entry(changed: Decision, fact: str) -> None:
    """Once the app's or the token's entry is another one, the answer is made of that one."""
    kept = Answers()
    before = read_answer(encode(kept))
    after = encode(kept, changed)
    assert after == encode(Answers(), changed)
    assert read_answer(after).facts[fact] != before.facts[fact]
    assert encode(kept, changed) is after
    assert encode(kept) == encode(Answers())


@pytest.mark.parametrize(
    "other",
    [
        {"decision": Decision(Reason.OUT_OF_SCOPE, OPEN, READER)},
        {"decision": Decision(Reason.PUBLIC_APP, OPEN)},
        {"decision": Decision(Reason.ALLOWED, PUBLIC, READER)},
        {"remove": ()},
        {"remove": ("authorization", "doorward-token")},
    ],
)
def test_a_kept_answer_is_for_no_other_question(other: dict[str, Any]) -> None:
    """Reason, app, token and the headers to remove tell answers apart."""
    kept = Answers()
    first = encode(kept)
    assert encode(kept, **other) == encode(Answers(), **other) != first


def test_a_kept_denial_is_for_one_form() -> None:
    """A program is not told by the page that a browser got."""
    kept, denied = Answers(), Decision(Reason.OUT_OF_SCOPE, OPEN, READER)
    page, problem = (read_answer(encode(kept, denied, form=form)) for form in (Form.PAGE, Form.PROBLEM))
    assert page.body.startswith("<!doctype html>")
    assert problem.body.startswith("{")


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many apps there are, only so many answers are kept."""
    monkeypatch.setattr(answers, "_KEPT", 3)
    kept = Answers()
    for number in range(10):
        encode(kept, Decision(Reason.ALLOWED, replace(OPEN, app_id=AppId(str(number))), READER))
    assert len(kept._kept) == 3
