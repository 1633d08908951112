"""Checks as bytes: what the request says, the answer says why."""

from collections.abc import Callable

import pytest

from doorward_server.domain.decision import Reason
from tests.unit.check.answer import read_answer
from tests.unit.check.check_requests import check_request
from tests.unit.check.scenes import (
    ALLOWS,
    EXPIRED_SECRET,
    GUARDED,
    MISSING,
    OPEN,
    OPERATOR_SECRET,
    OTHER_GROUP,
    PUBLIC,
    READER,
    READER_SECRET,
    SCENES,
    STOPPED,
    host_of,
    replica_for,
    visit,
)
from tests.unit.check.small_replica import bearer
from tests.unit.domain.policies import DOMAINS


def test_there_is_a_request_for_every_reason() -> None:
    """No reason is left out below."""
    assert set(SCENES) == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_each_request_is_answered_with_its_reason(reason: Reason) -> None:
    """Status and facts are those of the decision: why, on which app, by which token, and the way there."""
    scene, replica = SCENES[reason], replica_for(reason)
    answer = replica.ask(**scene.request)
    facts = {"reason": reason.name}
    if (app := scene.app) is not None:
        facts |= {"app_id": app.app_id, "region": app.region}
    if (token := scene.token) is not None:
        facts |= {"token_id": token.token_id, "role": token.role.name}
    if reason.allowed:
        assert app is not None
        assert app.upstream is not None
        facts |= {"upstream_host": app.upstream.host, "upstream_port": str(app.upstream.port)}
    assert answer.facts == facts
    assert answer.status == reason.http_status


@pytest.mark.parametrize("reason", Reason)
def test_an_equal_request_gets_an_equal_answer(reason: Reason) -> None:
    """What is kept of the first time changes nothing."""
    payload, replica = check_request(**SCENES[reason].request), replica_for(reason)
    assert replica.handle(payload) == replica.handle(payload) == replica_for(reason).handle(payload)


@pytest.mark.parametrize("reason", Reason)
def test_without_a_lease_everything_is_denied(reason: Reason) -> None:
    """A replica that has lost touch denies whatever it is asked, and says nothing of what it knows."""
    replica = replica_for(reason)
    replica.lose_lease()
    answer = replica.ask(**SCENES[reason].request)
    assert (answer.status, answer.facts) == (503, {"reason": "STALE_POLICY"})


@pytest.mark.parametrize("reason", ALLOWS)
def test_what_was_allowed_before_waits_for_the_lease_as_well(reason: Reason) -> None:
    """A remembered allow is denied while the lease is lost, and allowed once there is a new one."""
    replica, request = replica_for(reason), SCENES[reason].request
    allowed = replica.ask(**request)
    replica.lose_lease()
    assert replica.ask(**request).status == 503
    replica.renew_lease()
    assert replica.ask(**request) == allowed
    assert allowed.status == 200


def test_a_change_of_the_policy_counts_at_once() -> None:
    """A request that was allowed is denied once its token or its app is gone."""
    request = SCENES[Reason.ALLOWED].request
    replica = replica_for(Reason.ALLOWED)
    assert replica.ask(**request).status == 200
    replica.index.remove_token(READER.token_id)
    assert replica.ask(**request).facts["reason"] == "UNKNOWN_TOKEN"
    replica.put(READER)
    assert replica.ask(**request).status == 200
    replica.index.remove_app(OPEN.app_id)
    assert replica.ask(**request).facts["reason"] == "UNKNOWN_APP"


def test_a_public_app_sees_no_token_that_is_sent_all_the_same() -> None:
    """The credential is removed, and names nobody: it was not looked at."""
    answer = replica_for(Reason.PUBLIC_APP).ask(**visit(PUBLIC, bearer(READER_SECRET)))
    assert (answer.status, answer.facts["reason"]) == (200, "PUBLIC_APP")
    assert answer.removed == ("authorization",)
    assert answer.headers == {"x-doorward-app-id": PUBLIC.app_id}
    assert "token_id" not in answer.facts


def test_operator_paths_need_the_role() -> None:
    """A token of the role opens the path, one below it opens the others."""
    replica = replica_for(Reason.ROLE_TOO_LOW)
    reads, operates = bearer(READER_SECRET), bearer(OPERATOR_SECRET)
    assert replica.ask(**visit(GUARDED, operates, path="/admin")).status == 200
    assert replica.ask(**visit(GUARDED, reads, path="/admin")).status == 403
    assert replica.ask(**visit(GUARDED, reads, path="/administrator")).status == 200


@pytest.mark.parametrize("spelled", [str, str.upper])
@pytest.mark.parametrize("host", ["chat.example.com", host_of(OTHER_GROUP), ""])
def test_a_route_that_names_an_app_means_it(spelled: Callable[[str], str], host: str) -> None:
    """Whatever the host says, the app of Envoy's route is the one that is decided on."""
    replica = replica_for(Reason.ALLOWED)
    answer = replica.ask(host=host, app_id=spelled(OPEN.app_id), headers=[bearer(READER_SECRET)])
    assert (answer.status, answer.facts["app_id"]) == (200, OPEN.app_id)


@pytest.mark.parametrize("app_id", ["", MISSING.app_id, "not-an-id", f"{OPEN.app_id}.{DOMAINS[OPEN.region]}"])
def test_a_route_that_names_no_app_does_not_fall_back_to_the_host(app_id: str) -> None:
    """A slip in a route opens nothing, also where the host by itself would."""
    request = SCENES[Reason.ALLOWED].with_headers(app_id=app_id)
    assert replica_for(Reason.ALLOWED).ask(**request).facts["reason"] == "UNKNOWN_APP"


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b"nonsense", check_request(host=host_of(PUBLIC), method="")]
)
def test_what_is_no_request_is_denied(payload: bytes) -> None:
    """400, also without a lease, and also where the request would go to a public app."""
    replica = replica_for(Reason.PUBLIC_APP)
    answer = read_answer(replica.handle(payload))
    assert (answer.status, answer.facts) == (400, {"reason": "UNREADABLE_REQUEST"})
    assert "cannot be read" in answer.body
    replica.lose_lease()
    assert read_answer(replica.handle(payload)) == answer


def test_each_use_of_a_live_token_is_noted() -> None:
    """With its time, whether or not it opened anything; one that has ended is not used any more."""
    replica = replica_for(Reason.ALLOWED)
    for app in (OTHER_GROUP, OPEN, STOPPED):
        replica.ask(**visit(app, bearer(READER_SECRET)))
    replica.ask(**visit(OPEN, bearer(EXPIRED_SECRET)))
    replica.ask(**visit(PUBLIC, bearer(OPERATOR_SECRET)))
    assert replica.uses.take(10) == [(READER.token_id, replica.now)]
