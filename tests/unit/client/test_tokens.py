"""What `client.tokens`, `client.audit` and `whoami` send and answer."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import grpc
import pytest

import doorward
from doorward.v1.audit_service_pb2 import AuditEvent
from doorward.v1.role_pb2 import Role
from tests.unit.client.fake_api import FakeApi


def sent(api: FakeApi, rpc: str) -> Any:
    """Return the request of the only call of an RPC."""
    return api.seen(rpc).request


def create(client: doorward.Client, **options: Any) -> doorward.IssuedToken:
    """Create a token."""
    return client.tokens.create(
        "ci", **{"role": "read-only", "region": "GRA", "selector": "group=A", **options}
    )


def test_create(api: FakeApi, client: doorward.Client) -> None:
    """A token is sent as it is described; its secret comes back beside it."""
    issued = create(client)
    token = sent(api, "CreateToken").token
    assert (token.display_name, token.role, token.region) == ("ci", Role.ROLE_READ_ONLY, "GRA")
    assert (token.label_selector, token.HasField("expire_time")) == ("group=A", False)
    assert issued.secret.startswith(f"dw_{issued.token.token_id}_")


def test_a_secret_is_not_printed(client: doorward.Client) -> None:
    """An issued token that is printed or logged does not show its secret."""
    issued = create(client)
    assert issued.secret not in f"{issued}{issued!r}{issued.token}"


def test_a_lost_secret(client: doorward.Client) -> None:
    """When a repeat answers the token without its secret, that is an error that names the token."""
    token = create(client, request_id="x").token
    with pytest.raises(doorward.SecretLost, match="regenerate it to have a new one") as caught:
        create(client, request_id="x")
    assert caught.value.token_id == token.token_id
    assert client.tokens.regenerate(caught.value.token_id).secret


@pytest.mark.parametrize("role", ["operator", "OPERATOR", "ROLE_OPERATOR", Role.ROLE_OPERATOR])
def test_roles_by_name(api: FakeApi, client: doorward.Client, role: Any) -> None:
    """A role can be given as people write it."""
    create(client, role=role)
    assert sent(api, "CreateToken").token.role == Role.ROLE_OPERATOR


@pytest.mark.parametrize("role", ["root", "", "unspecified", "read only", "ROLE_ROLE_ADMIN"])
def test_a_role_that_is_none(client: doorward.Client, role: str) -> None:
    """A name that is no role is refused with those that are."""
    with pytest.raises(ValueError, match="expected one of READ_ONLY, OPERATOR, ADMIN"):
        create(client, role=role)


@pytest.mark.parametrize(
    ("scope", "field"),
    [
        ({"selector": "a=b"}, "label_selector"),
        ({"selector": ""}, "label_selector"),  # the server refuses it, and must see it to do so
        ({"selector": None, "all_apps": True}, "all_apps"),
        ({"selector": None}, None),
    ],
)
def test_scopes(api: FakeApi, client: doorward.Client, scope: dict[str, Any], field: str | None) -> None:
    """A scope is a selector, all apps, or (for ADMIN) not given; an empty selector is not turned into one."""
    create(client, **scope)
    assert sent(api, "CreateToken").token.WhichOneof("scope") == field


def test_two_scopes(client: doorward.Client) -> None:
    """A selector and all apps together are refused: one of them would silently win."""
    with pytest.raises(ValueError, match="selector and all_apps contradict each other"):
        create(client, all_apps=True)
    with pytest.raises(ValueError, match="selector and all_apps contradict each other"):
        list(client.tokens.preview(selector="a", all_apps=True))


def test_expiry(api: FakeApi, client: doorward.Client) -> None:
    """An expiry is a point in time, in any zone, or a length of time from now."""
    when = datetime(2030, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    create(client, expires=when)
    create(client, expires=timedelta(days=90))
    given, counted = (seen.request.token.expire_time for seen in api.state.seen["CreateToken"])  # type: ignore[attr-defined]
    assert given.ToDatetime(UTC) == when
    assert abs(counted.ToDatetime(UTC) - datetime.now(UTC) - timedelta(days=90)) < timedelta(minutes=1)


def test_an_expiry_without_zone(client: doorward.Client) -> None:
    """A time that means something else on another machine is refused."""
    with pytest.raises(ValueError, match="has no time zone"):
        create(client, expires=datetime(2030, 1, 1))  # noqa: DTZ001 - the point


def test_update(api: FakeApi, client: doorward.Client) -> None:
    """An update changes what is given, and can take the expiry away."""
    token_id = create(client, expires=timedelta(days=1)).token.token_id
    assert client.tokens.update(token_id, display_name="other").token.HasField("expire_time")
    answer = client.tokens.update(token_id, expires="never", etag="1")
    assert (answer.token.display_name, answer.token.HasField("expire_time")) == ("other", False)
    assert client.tokens.update(token_id, expires=timedelta(hours=1)).token.HasField("expire_time")
    masks = [list(seen.request.update_mask.paths) for seen in api.state.seen["UpdateToken"]]  # type: ignore[attr-defined]
    assert masks == [["display_name"], ["expire_time"], ["expire_time"]]
    with pytest.raises(ValueError, match="nothing to change"):
        client.tokens.update(token_id)


def test_regenerate(api: FakeApi, client: doorward.Client) -> None:
    """A regenerated token has another secret, and says how far the end of the former one has reached."""
    first = create(client)
    second = client.tokens.regenerate(first.token.token_id, grace_period=timedelta(hours=1), etag="1")
    assert second.secret != first.secret
    assert second.token.generation == 2
    assert second.policy_update.enforcement == doorward.Enforcement.ENFORCEMENT_EVERYWHERE
    assert sent(api, "RegenerateToken").grace_period.ToTimedelta() == timedelta(hours=1)


def test_get_list_delete(client: doorward.Client) -> None:
    """A token is there until it is deleted."""
    token_id = create(client).token.token_id
    assert client.tokens.get(token_id).display_name == "ci"
    assert [token.token_id for token in client.tokens.list()] == [token_id]
    assert client.tokens.delete(token_id).policy_update.revision == 1
    with pytest.raises(doorward.NotFound):
        client.tokens.get(token_id)


def test_preview(api: FakeApi, client: doorward.Client) -> None:
    """A preview yields the apps of a scope; its pages have the selector's canonical form."""
    app = client.apps.create("a", region="GRA", spec=doorward.external("127.0.0.1:1"))
    found = client.tokens.preview(region="GRA", selector="a = b")
    assert [match.app_id for match in found] == [app.app_id]
    assert next(found.pages()).canonical_selector == "a=b"
    assert api.state.seen["PreviewSelector"][0].request.region == "GRA"  # type: ignore[attr-defined]


def test_explain(api: FakeApi, client: doorward.Client) -> None:
    """An explanation is about one token, one app and one request."""
    answer = client.tokens.explain("token", "app", method="POST", path="/admin?x")
    assert (answer.allowed, answer.reason, answer.http_status) == (False, "OUT_OF_SCOPE", 403)
    request = sent(api, "ExplainAccess")
    assert (request.token_id, request.app_id) == ("token", "app")
    assert (request.method, request.path) == ("POST", "/admin?x")


def test_audit(api: FakeApi, client: doorward.Client) -> None:
    """The audit is filtered by actor, action, resource and time."""
    api.state.events += [AuditEvent(event_id=2), AuditEvent(event_id=1)]
    start, end = datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 1, 2, tzinfo=UTC)
    found = client.audit.list(
        actor_token_id="me",  # noqa: S106 - an id
        action="DeleteToken",
        resource_id="it",
        start=start,
        end=end,
    )
    assert [event.event_id for event in found] == [2, 1]
    request = sent(api, "ListAuditEvents")
    assert (request.actor_token_id, request.action, request.resource_id) == ("me", "DeleteToken", "it")
    assert (request.start_time.ToDatetime(UTC), request.end_time.ToDatetime(UTC)) == (start, end)


def test_whoami(api: FakeApi, client: doorward.Client) -> None:
    """A client can ask which token it uses."""
    assert client.whoami().role == Role.ROLE_ADMIN
    api.fail("WhoAmI", grpc.StatusCode.UNAUTHENTICATED, "revoked", reason="ERROR_REASON_CREDENTIAL_INVALID")
    with pytest.raises(doorward.Unauthenticated, match="revoked"):
        client.whoami()
