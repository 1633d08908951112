"""TokenService over gRPC."""

from datetime import timedelta

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from doorward.v1 import app_pb2, app_service_pb2, role_pb2, token_pb2, token_service_pb2
from doorward_server.domain.apps import AppState
from doorward_server.domain.roles import Role
from tests.integration.rpc.conftest import Api, new_app

WHO_AM_I = token_service_pb2.WhoAmIRequest()


async def test_a_secret_is_answered_once(api: Api) -> None:
    """Only the answers that make a secret hold it; it works from then on."""
    token, secret = await api.token(selector="group in (B, A)")
    assert secret.startswith(f"dw_{token.token_id}_")
    assert token.label_selector == "group in (A,B)"
    assert token.role == role_pb2.ROLE_READ_ONLY
    assert token.region == "GRA"
    assert token.generation == 1
    assert not token.HasField("expire_time")
    me = await api.call(api.tokens.WhoAmI, WHO_AM_I, token=secret)
    assert me.token.token_id == token.token_id
    got = await api.call(api.tokens.GetToken, token_service_pb2.GetTokenRequest(token_id=token.token_id))
    listed = await api.call(api.tokens.ListTokens, token_service_pb2.ListTokensRequest(page_size=1))
    assert got.token.last_used_time.seconds
    assert listed.tokens[0].token_id == token.token_id
    assert listed.next_page_token
    for answer in (me, got, listed):
        assert secret not in str(answer)


async def test_a_repeated_create_answers_no_secret(api: Api) -> None:
    """The server does not have it any more."""
    request = token_service_pb2.CreateTokenRequest(
        token=token_pb2.Token(display_name="demo", role=role_pb2.ROLE_READ_ONLY, region="GRA", all_apps=True),
        request_id="3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11",
    )
    first = await api.call(api.tokens.CreateToken, request)
    again = await api.call(api.tokens.CreateToken, request)
    assert again.token.token_id == first.token.token_id
    assert first.secret
    assert not again.secret


@pytest.mark.parametrize(
    ("token", "violations"),
    [
        (
            token_pb2.Token(),
            {
                "token.display_name": "must not be empty",
                "token.role": "must be set: one of ROLE_READ_ONLY, ROLE_OPERATOR, ROLE_ADMIN",
                "token.region": "must be set: one of GRA, BHS",
                "token.label_selector": "must be set; to open every app of the region, set all_apps",
            },
        ),
        (
            token_pb2.Token(display_name="x", role=role_pb2.ROLE_READ_ONLY, region="GRA", all_apps=False),
            {"token.all_apps": "must be true when it is set"},
        ),
        (
            token_pb2.Token(
                display_name="x",
                role=role_pb2.ROLE_READ_ONLY,
                region="GRA",
                all_apps=True,
                expire_time=Timestamp(seconds=1),
            ),
            {"token.expire_time": "must lie in the future"},
        ),
        (
            token_pb2.Token(
                display_name="x",
                role=role_pb2.ROLE_READ_ONLY,
                region="GRA",
                all_apps=True,
                expire_time=Timestamp(seconds=1 << 40, nanos=-1),
            ),
            {"token.expire_time": "must lie in the years 1 to 9999"},
        ),
        (
            token_pb2.Token(display_name="x", role=role_pb2.ROLE_ADMIN, region="GRA"),
            {
                "token.role": "ADMIN has every region and every app: leave region and label_selector empty",
            },
        ),
    ],
)
async def test_a_token_that_breaks_a_rule_is_refused(
    api: Api, token: token_pb2.Token, violations: dict[str, str]
) -> None:
    """Each field is named with its rule."""
    request = token_service_pb2.CreateTokenRequest(token=token)
    refusal = await api.refused(api.tokens.CreateToken, request)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.violations == violations


async def test_a_wrong_selector_is_refused_with_the_column(api: Api) -> None:
    """So that a person sees at once where it is wrong."""
    request = token_service_pb2.CreateTokenRequest(
        token=token_pb2.Token(
            display_name="x", role=role_pb2.ROLE_READ_ONLY, region="GRA", label_selector="group=A,,tier"
        )
    )
    refusal = await api.refused(api.tokens.CreateToken, request)
    assert "column 9" in refusal.violations["token.label_selector"]


async def test_an_admin_token_needs_no_scope(api: Api) -> None:
    """It is answered as what it is: every app of every region."""
    request = token_service_pb2.CreateTokenRequest(
        token=token_pb2.Token(display_name="owner", role=role_pb2.ROLE_ADMIN)
    )
    token = (await api.call(api.tokens.CreateToken, request)).token
    assert token.all_apps
    assert not token.region


async def test_name_and_expiry_are_changed(api: Api) -> None:
    """An expiry is set, kept, and removed by naming it without a value."""
    token, _ = await api.token()
    later = Timestamp()
    later.FromDatetime(api.world.clock() + timedelta(days=1))
    update = token_service_pb2.UpdateTokenRequest(
        token=token_pb2.Token(token_id=token.token_id, expire_time=later)
    )
    changed = await api.call(api.tokens.UpdateToken, update)
    assert changed.token.expire_time == later
    assert changed.token.display_name == "demo"
    assert changed.policy_update.enforcement
    rename = token_service_pb2.UpdateTokenRequest(
        token=token_pb2.Token(token_id=token.token_id, display_name="new")
    )
    renamed = await api.call(api.tokens.UpdateToken, rename)
    assert renamed.token.expire_time == later
    assert not renamed.HasField("policy_update")
    remove = token_service_pb2.UpdateTokenRequest(
        token=token_pb2.Token(token_id=token.token_id), update_mask=FieldMask(paths=["expire_time"])
    )
    removed = await api.call(api.tokens.UpdateToken, remove)
    assert not removed.token.HasField("expire_time")
    assert removed.token.display_name == "new"


async def test_what_cannot_be_changed_is_refused_by_name(api: Api) -> None:
    """The error names what could be changed instead."""
    token, _ = await api.token()
    update = token_service_pb2.UpdateTokenRequest(token=token, update_mask=FieldMask(paths=["role"]))
    refusal = await api.refused(api.tokens.UpdateToken, update)
    assert refusal.violations == {
        "update_mask": "'role' cannot be changed: name display_name, expire_time or *"
    }


async def test_regenerating_ends_the_former_secret(api: Api) -> None:
    """Id, name and scope stay; the former secret is dead when the call returns."""
    token, old = await api.token(selector="group=A")
    request = token_service_pb2.RegenerateTokenRequest(token_id=token.token_id, etag=token.etag)
    response = await api.call(api.tokens.RegenerateToken, request)
    assert response.token.generation == 2
    assert response.token.label_selector == "group=A"
    assert response.secret != old
    assert response.policy_update.enforcement
    assert (await api.refused(api.tokens.WhoAmI, WHO_AM_I, token=old)).reason == "CREDENTIAL_INVALID"
    await api.call(api.tokens.WhoAmI, WHO_AM_I, token=response.secret)
    stale = await api.refused(api.tokens.RegenerateToken, request)
    assert stale.code is grpc.StatusCode.ABORTED


async def test_a_grace_period_lets_both_secrets_work(api: Api) -> None:
    """Until it ends, which the token tells."""
    token, old = await api.token()
    request = token_service_pb2.RegenerateTokenRequest(
        token_id=token.token_id, grace_period=Duration(seconds=60)
    )
    response = await api.call(api.tokens.RegenerateToken, request)
    assert response.token.HasField("previous_generation_expire_time")
    await api.call(api.tokens.WhoAmI, WHO_AM_I, token=old)
    api.world.clock.advance(seconds=61)
    assert (await api.refused(api.tokens.WhoAmI, WHO_AM_I, token=old)).reason == "CREDENTIAL_INVALID"
    got = await api.call(api.tokens.GetToken, token_service_pb2.GetTokenRequest(token_id=token.token_id))
    assert not got.token.HasField("previous_generation_expire_time")


@pytest.mark.parametrize(
    ("grace_period", "rule"),
    [
        (Duration(seconds=-1), "must be between 0 and 7 days"),
        (Duration(seconds=8 * 86_400), "must be between 0 and 7 days"),
        (Duration(seconds=1, nanos=-1), "must have seconds and nanos of the same sign"),
        (Duration(nanos=1_000_000_000), "must have nanos between -999,999,999 and 999,999,999"),
        (Duration(seconds=1 << 62), "must be at most 10,000 years"),
    ],
)
async def test_a_grace_period_that_cannot_be_is_refused(api: Api, grace_period: Duration, rule: str) -> None:
    """Negative, too long and nonsensical spans of time are told from each other."""
    token, secret = await api.token()
    request = token_service_pb2.RegenerateTokenRequest(token_id=token.token_id, grace_period=grace_period)
    refusal = await api.refused(api.tokens.RegenerateToken, request)
    assert refusal.violations == {"grace_period": rule}
    await api.call(api.tokens.WhoAmI, WHO_AM_I, token=secret)


async def test_a_deleted_token_is_dead(api: Api) -> None:
    """On the very next call."""
    token, secret = await api.token()
    response = await api.call(
        api.tokens.DeleteToken, token_service_pb2.DeleteTokenRequest(token_id=token.token_id)
    )
    assert response.policy_update.enforcement
    assert (await api.refused(api.tokens.WhoAmI, WHO_AM_I, token=secret)).reason == "CREDENTIAL_INVALID"


async def test_a_preview_lists_what_a_scope_would_open(api: Api) -> None:
    """With the selector in its canonical form, page by page."""
    for name in ("a", "b"):
        await api.running_app(name=name, labels={"group": "A"})
    await api.running_app(name="c", labels={"group": "B"})
    request = token_service_pb2.PreviewSelectorRequest(
        region="GRA", label_selector="group  in(A)", page_size=1
    )
    first = await api.call(api.tokens.PreviewSelector, request)
    assert first.canonical_selector == "group=A"
    request.page_token = first.next_page_token
    second = await api.call(api.tokens.PreviewSelector, request)
    assert [app.display_name for app in (*first.apps, *second.apps)] == ["b", "a"]
    everything = token_service_pb2.PreviewSelectorRequest(all_apps=True)
    assert len((await api.call(api.tokens.PreviewSelector, everything)).apps) == 3
    other_filter = token_service_pb2.PreviewSelectorRequest(all_apps=True, page_token=first.next_page_token)
    refusal = await api.refused(api.tokens.PreviewSelector, other_filter)
    assert set(refusal.violations) == {"page_token"}


async def test_access_is_explained_rule_by_rule(api: Api) -> None:
    """Up to the rule that decides, with what was compared."""
    created = new_app()
    created.app.spec.operator_paths.append("/admin")
    app = (await api.call(api.apps.CreateApp, created)).app
    await api.world.in_state(app.app_id, AppState.RUNNING)
    token, _ = await api.token(Role.READ_ONLY, selector="group=A")
    question = token_service_pb2.ExplainAccessRequest(token_id=token.token_id, app_id=app.app_id)
    allowed = await api.call(api.tokens.ExplainAccess, question)
    assert allowed.allowed
    assert (allowed.reason, allowed.http_status) == ("ALLOWED", 200)
    question.path = "/admin/users?x=1"
    denied = await api.call(api.tokens.ExplainAccess, question)
    assert not denied.allowed
    assert (denied.reason, denied.http_status) == ("ROLE_TOO_LOW", 403)
    assert denied.rules[-1].rule == "role"
    assert not denied.rules[-1].passed
    assert all(rule.passed and rule.detail for rule in denied.rules[:-1])
    question.method, question.path = "GET /", "admin"
    refusal = await api.refused(api.tokens.ExplainAccess, question)
    assert set(refusal.violations) == {"method", "path"}


async def test_an_operator_makes_no_tokens_and_changes_no_labels(api: Api) -> None:
    """Whatever the request holds: the role is looked at first."""
    _, secret = await api.token(Role.OPERATOR)
    for method, request in (
        (api.tokens.CreateToken, token_service_pb2.CreateTokenRequest()),
        (api.tokens.ListTokens, token_service_pb2.ListTokensRequest(page_size=-1)),
        (api.apps.UpdateApp, app_service_pb2.UpdateAppRequest(app=app_pb2.App(app_id="?"))),
        (api.apps.CreateApp, app_service_pb2.CreateAppRequest()),
    ):
        refusal = await api.refused(method, request, token=secret)
        assert refusal.code is grpc.StatusCode.PERMISSION_DENIED
        assert refusal.metadata == {"role": "OPERATOR", "required_role": "ADMIN"}
