"""The Python client against a running platform: what a program written with it sees."""

import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import doorward
from doorward import AppState, Enforcement, Role
from tests.e2e.support.platform import Platform

HELLO = [sys.executable, str(Path(__file__).parents[3] / "examples" / "hello.py"), "--port", "{port}"]


@pytest.fixture
def group() -> str:
    """The value of a label that no other test uses."""
    return uuid.uuid4().hex


@pytest.fixture
def app(admin: doorward.Client, group: str) -> Iterator[doorward.App]:
    """A running app of that group."""
    spec = doorward.process(HELLO, env={"GREETING": "hidden"}, readiness=doorward.readiness("/"))
    app = admin.apps.create("hello", region="GRA", labels={"group": group, "ovh/id": "fake"}, spec=spec)
    admin.apps.wait(app.app_id)
    yield app
    try:
        admin.apps.delete(app.app_id)
    except doorward.NotFound:  # the test has deleted it
        return


def issue(admin: doorward.Client, group: str, role: str = "read-only") -> doorward.IssuedToken:
    """Create a token for a group."""
    return admin.tokens.create("test", role=role, region="GRA", selector=f"group={group}")


def client_of(platform: Platform, issued: doorward.IssuedToken) -> doorward.Client:
    """Return a client that uses a token."""
    return doorward.Client(platform.endpoints.api_grpc, token=issued.secret)


def test_an_app_that_was_waited_for_is_reached(
    platform: Platform, admin: doorward.Client, app: doorward.App
) -> None:
    """When `wait` says that an app runs, so does the very next request to it, time after time."""
    statuses = []
    for _ in range(10):
        admin.apps.stop(app.app_id)
        admin.apps.start(app.app_id)
        admin.apps.wait(app.app_id)
        host = f"{app.app_id}.app.gra.localhost"
        statuses.append(platform.visit(host, token=platform.admin_token).status)
    assert statuses == [200] * 10


def test_an_app_from_beginning_to_end(admin: doorward.Client, app: doorward.App, group: str) -> None:
    """An app is created, found, changed, stopped, started and deleted; each answer says what is so then."""
    everywhere = Enforcement.ENFORCEMENT_EVERYWHERE
    assert dict(app.labels) == {"group": group, "ovh/id": app.app_id, "ovh/type": "app"}
    assert dict(app.spec.process.env) == {"GREETING": ""}
    assert [found.app_id for found in admin.apps.list(selector=f"group={group}")] == [app.app_id]
    assert any("listening" in line.line for line in admin.apps.logs(app.app_id))

    changed = admin.apps.update(app.app_id, labels={"group": group, "tier": "x"})
    assert changed.app.labels["tier"] == "x"
    assert changed.policy_update.enforcement == everywhere
    public = doorward.AppSpec(access=doorward.Access.ACCESS_PUBLIC)
    assert (
        admin.apps.update(app.app_id, spec=public, update_mask=["spec.access"]).app.spec.access
        == public.access
    )

    with admin.apps.watch(app.app_id) as statuses:
        assert next(statuses).status.state == AppState.APP_STATE_RUNNING
        assert admin.apps.stop(app.app_id).policy_update.enforcement == everywhere
        seen = (answer.status.state for answer in statuses)
        assert next(state for state in seen if state == AppState.APP_STATE_STOPPED)
    admin.apps.start(app.app_id)
    assert admin.apps.wait(app.app_id, "running").url == app.status.url
    admin.apps.delete(app.app_id)
    with suppress(doorward.NotFound):  # gone already
        list(admin.apps.watch(app.app_id, timeout=30))
    with pytest.raises(doorward.NotFound) as caught:
        admin.apps.get(app.app_id)
    assert caught.value.metadata == {"app_id": app.app_id}


def test_a_token_from_beginning_to_end(
    platform: Platform, admin: doorward.Client, app: doorward.App, group: str
) -> None:
    """A token opens its apps until it is regenerated, and its new secret until it is deleted."""
    host = app.status.url.removeprefix("http://")
    first = issue(admin, group)
    assert platform.visit(host, token=first.secret).status == 200
    explained = admin.tokens.explain(first.token.token_id, app.app_id)
    assert (explained.allowed, explained.http_status) == (True, 200)
    assert [found.app_id for found in admin.tokens.preview(region="GRA", selector=f"group={group}")] == [
        app.app_id
    ]

    second = admin.tokens.regenerate(first.token.token_id)
    assert second.policy_update.enforcement == Enforcement.ENFORCEMENT_EVERYWHERE
    assert platform.visit(host, token=first.secret).status == 401
    assert platform.visit(host, token=second.secret).status == 200

    admin.tokens.update(first.token.token_id, expires=timedelta(hours=1))
    renamed = admin.tokens.update(first.token.token_id, display_name="other").token
    assert renamed.expire_time.ToDatetime(UTC) > datetime.now(UTC)
    assert not admin.tokens.update(first.token.token_id, expires="never").token.HasField("expire_time")
    assert admin.tokens.get(first.token.token_id).generation == 2

    admin.tokens.delete(first.token.token_id)
    assert platform.visit(host, token=second.secret).status == 401
    done = [event.action for event in admin.audit.list(resource_id=first.token.token_id)]
    assert done == [
        "DeleteToken",
        "UpdateToken",
        "UpdateToken",
        "UpdateToken",
        "RegenerateToken",
        "CreateToken",
    ]


def test_what_roles_may_do(platform: Platform, admin: doorward.Client, app: doorward.App, group: str) -> None:
    """A role that is too low, a scope that does not reach, and a dead token raise what their names say."""
    with client_of(platform, issue(admin, group)) as reader:
        assert reader.whoami().role == Role.ROLE_READ_ONLY
        assert reader.apps.get(app.app_id).spec.WhichOneof("source") is None
        with pytest.raises(doorward.PermissionDenied) as denied:
            reader.apps.stop(app.app_id)
        assert denied.value.reason == "ERROR_REASON_ROLE_TOO_LOW"
        assert denied.value.metadata == {"role": "READ_ONLY", "required_role": "OPERATOR"}
        assert denied.value.request_id
    with client_of(platform, issue(admin, "another", role="operator")) as stranger:
        with pytest.raises(doorward.NotFound):
            stranger.apps.stop(app.app_id)
        assert list(stranger.apps.list()) == []
        with pytest.raises(doorward.PermissionDenied):
            stranger.tokens.create("x", role="admin")


def test_a_stream_ends_with_its_token(
    platform: Platform, admin: doorward.Client, app: doorward.App, group: str
) -> None:
    """Who follows an app hears that the token is dead, not nothing for ever."""
    issued = issue(admin, group)
    with client_of(platform, issued) as reader, reader.apps.watch(app.app_id, timeout=30) as statuses:
        next(statuses)
        admin.tokens.delete(issued.token.token_id)
        with pytest.raises(doorward.Unauthenticated):
            next(statuses)


def test_a_repeated_create(admin: doorward.Client, group: str) -> None:
    """The same request id makes one token, whose secret only the first answer has."""
    request_id = str(uuid.uuid4())

    def create(selector: str) -> doorward.IssuedToken:
        return admin.tokens.create(
            "twice", role="read-only", region="GRA", selector=selector, request_id=request_id
        )

    issued = create(f"group={group}")
    with pytest.raises(doorward.SecretLost) as lost:
        create(f"group={group}")
    assert lost.value.token_id == issued.token.token_id
    with pytest.raises(doorward.Conflict) as reused:
        create("group=other")
    assert reused.value.reason == "ERROR_REASON_REQUEST_ID_REUSED"


def test_somebody_was_faster(admin: doorward.Client, app: doorward.App) -> None:
    """A change that was made from an old state is refused."""
    admin.apps.update(app.app_id, display_name="first", etag=app.etag)
    with pytest.raises(doorward.Conflict) as caught:
        admin.apps.update(app.app_id, display_name="second", etag=app.etag)
    assert caught.value.reason == "ERROR_REASON_ETAG_MISMATCH"
    assert admin.apps.get(app.app_id).display_name == "first"


def test_every_wrong_field_is_named(admin: doorward.Client) -> None:
    """A request with several mistakes names each field with its rule, all at once."""
    with pytest.raises(doorward.InvalidArgument) as caught:
        admin.apps.create(
            "", region="MARS", labels={"a b": "c"}, spec=doorward.external("169.254.169.254:80")
        )
    assert [violation.field for violation in caught.value.field_violations] == [
        "app.display_name",
        "app.region",
        "app.labels",
        "app.spec.external.address",
    ]
    with pytest.raises(doorward.InvalidArgument, match="label_selector: column 8"):
        list(admin.apps.list(selector="a in (b"))


def test_pages(admin: doorward.Client, group: str) -> None:
    """A list of many pages is the same list."""
    created = [issue(admin, group).token.token_id for _ in range(5)]
    ours = [token.token_id for token in admin.tokens.list(page_size=2) if token.token_id in created]
    assert ours == created[::-1]


def test_from_the_environment(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a running `doorward up` a client needs no setting but the home."""
    monkeypatch.delenv("DOORWARD_ADDRESS", raising=False)
    monkeypatch.delenv("DOORWARD_TOKEN", raising=False)
    monkeypatch.setenv("DOORWARD_HOME", str(platform.home))
    with doorward.Client.from_env() as client:
        assert client.whoami().role == Role.ROLE_ADMIN


@pytest.mark.parametrize(
    ("arguments", "token", "code"),
    [
        (["whoami"], None, 0),
        (["whoami"], "not-a-token", 3),
        (["apps", "get", str(uuid.uuid4())], None, 5),
        (["apps", "get", "nonsense"], None, 2),
        (["whoami", "--address", "127.0.0.1:1", "--timeout", "1s"], None, 7),
    ],
)
def test_exit_codes(platform: Platform, arguments: list[str], token: str | None, code: int) -> None:
    """The command ends with the documented code; an error is one line and no trace of Python."""
    ended = platform.cli(*arguments, token=token)
    assert ended.returncode == code
    assert ended.stderr.count("\n") == (code != 0)
    assert ended.stderr.startswith("error: ") == (code != 0)
    assert bool(ended.stdout) == (code == 0)
