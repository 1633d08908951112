"""`doorward tokens`, `doorward audit` and `doorward whoami`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from doorward.v1.audit_service_pb2 import AuditEvent
from doorward.v1.policy_update_pb2 import Enforcement, PolicyUpdate
from doorward.v1.role_pb2 import Role
from tests.unit.client.cli import Doorward
from tests.unit.client.fake_api import ADMIN_ID, FakeApi, mint
from tests.unit.client.terminal import at_a_terminal

CREATE = ("tokens", "create", "ci", "--role", "read-only", "--region", "GRA")


@pytest.fixture
def token_id(doorward_cli: Doorward) -> str:
    """A token for group=A in GRA."""
    created: str = doorward_cli(*CREATE, "-l", "group=A", "-o", "json").json()["token"]["tokenId"]
    return created


def sent(api: FakeApi, rpc: str) -> Any:
    """Return the request of the only call of an RPC."""
    return api.seen(rpc).request


def test_create(api: FakeApi, doorward_cli: Doorward) -> None:
    """A new token is shown with its secret, once, and how to use it on an app that it opens."""
    doorward_cli("apps", "create", "hello", "--region", "GRA", "--external", "a:1")
    (app,) = api.state.apps.values()
    ended = doorward_cli(*CREATE, "--selector", "group=A", "--expires-in", "90d")
    shown = ended.fields()
    assert (shown["NAME"], shown["ROLE"], shown["REGION"]) == ("ci", "READ_ONLY", "GRA")
    assert shown["SCOPE"] == "group=A"
    assert ended.out.count("dw_") == 1
    assert f"  TOKEN=dw_{shown['ID']}_" in ended.out
    assert f'  curl -H "Authorization: Bearer $TOKEN" {app.status.url}\n' in ended.out
    token = sent(api, "CreateToken").token
    left = token.expire_time.ToDatetime(UTC) - datetime.now(UTC)
    assert abs(left - timedelta(days=90)) < timedelta(minutes=1)


def test_create_when_there_is_no_app(doorward_cli: Doorward) -> None:
    """Without an app to show, the way to use the token is shown all the same."""
    assert '$TOKEN" <the URL of an app>\n' in doorward_cli(*CREATE, "--all-apps").out


def test_the_secret_alone(doorward_cli: Doorward) -> None:
    """With --quiet the secret is all there is on standard output, for $(…)."""
    created = doorward_cli(*CREATE, "-l", "a", "--quiet").lines()
    assert [line[:3] for line in created] == ["dw_"]
    regenerated = doorward_cli("tokens", "regenerate", created[0][3:15], "-q").lines()
    assert [line[:16] for line in regenerated] == [created[0][:16]]
    assert regenerated != created


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_create_for_programs(doorward_cli: Doorward, output: str) -> None:
    """For programs the token and its secret are what the REST API answers."""
    ended = doorward_cli(*CREATE, "--expires-at", "2030-01-02T03:04:05+01:00", "-l", "a", "-o", output)
    answer = yaml.safe_load(ended.out)  # JSON is YAML
    assert set(answer) == {"token", "secret"}
    assert answer["token"]["role"] == "ROLE_READ_ONLY"
    assert answer["token"]["expireTime"] == "2030-01-02T02:04:05Z"
    assert answer["secret"].startswith(f"dw_{answer['token']['tokenId']}_")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["-l", "a", "--all-apps"], "--selector and --all-apps contradict each other"),
        (
            ["-l", "a", "--expires-in", "1d", "--expires-at", "2030-01-01T00:00:00Z"],
            "--expires-in and --expires-at contradict each other",
        ),
        (["-l", "a", "--expires-in", "soon"], "'soon' is not a duration such as 90d, 12h, 30m, 45s or 1d12h"),
        (["-l", "a", "--expires-in", "0d"], "'0d' must be longer than zero"),
        (["-l", "a", "--expires-in", "999999999d"], "'999999999d' is longer than 36500d"),
        (["-l", "a", "--expires-at", "2030-01-01T00:00:00"], "has no time zone: add one, such as Z"),
        (["-l", "a", "--expires-at", "tomorrow"], "'tomorrow' is not a time such as 2026-01-31T12:00:00Z"),
        (["-l", "a", "--role", "root"], "'root' is not one of 'read-only', 'operator', 'admin'"),
        (["-l", "a", "-o", "id"], "'id' is not one of 'table', 'json', 'yaml'"),  # would lose the secret
    ],
)
def test_create_wrongly(api: FakeApi, doorward_cli: Doorward, arguments: list[str], text: str) -> None:
    """A token that contradicts itself is refused here, in one line, and nothing is sent."""
    ended = doorward_cli(*CREATE, *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert text in ended.err
    assert api.state.seen["CreateToken"] == []


def test_a_dry_run(api: FakeApi, doorward_cli: Doorward) -> None:
    """A dry run shows the token that would be made and the apps it would open, and makes nothing."""
    doorward_cli("apps", "create", "hello", "--region", "GRA", "--external", "a:1")
    (app,) = api.state.apps.values()
    arguments = (*CREATE, "-l", "group = A", "--expires-in", "90d", "--dry-run")
    ended = doorward_cli(*arguments)
    shown = ended.fields()
    assert (shown["NAME"], shown["ROLE"], shown["REGION"]) == ("ci", "READ_ONLY", "GRA")
    assert shown["SCOPE"] == "group=A"
    assert shown["EXPIRES"].endswith("Z")
    assert "Dry run: nothing was created. The token would open 1 app now:" in ended.out
    assert app.app_id in ended.out
    answer = doorward_cli(*arguments, "-o", "json").json()
    assert (answer["dryRun"], answer["token"]["labelSelector"]) == (True, "group=A")
    assert [each["appId"] for each in answer["apps"]] == [app.app_id]
    assert "secret" not in answer
    request = api.state.seen["PreviewSelector"][0].request
    assert (request.region, request.label_selector) == ("GRA", "group = A")  # type: ignore[attr-defined]
    assert api.state.seen["CreateToken"] == []


def test_a_dry_run_of_an_admin(api: FakeApi, doorward_cli: Doorward) -> None:
    """A token with the role admin opens every app of every region."""
    ended = doorward_cli("tokens", "create", "root", "--role", "admin", "--dry-run")
    assert (ended.code, ended.err) == (0, "no app matches\n")
    request = sent(api, "PreviewSelector")
    assert (request.region, request.all_apps) == ("", True)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--role", "admin", "--region", "GRA"], "has every region: no --region, no --selector"),
        (["--role", "admin", "-l", "a"], "has every region: no --region, no --selector"),
        (["--role", "operator", "-l", "a"], "give --region: a token opens the apps of one region"),
        (["--role", "operator", "--region", "GRA"], "give --selector or --all-apps"),
        (["--role", "admin", "--quiet"], "--dry-run and --quiet contradict each other"),
    ],
)
def test_a_dry_run_of_what_cannot_be(
    api: FakeApi, doorward_cli: Doorward, arguments: list[str], text: str
) -> None:
    """A dry run refuses what the server would, as a preview alone cannot."""
    ended = doorward_cli("tokens", "create", "ci", *arguments, "--dry-run")
    assert (ended.code, ended.out) == (2, "")
    assert text in ended.err
    assert not any(api.state.seen.values())


def test_list_and_get(doorward_cli: Doorward, token_id: str) -> None:
    """Tokens are listed and shown without secrets."""
    heading, line = doorward_cli("tokens", "list").lines()
    assert heading.startswith("ID ")
    assert line.split() == [token_id, "ci", "READ_ONLY", "GRA", "group=A", "1", "never", "never"]
    shown = doorward_cli("tokens", "get", token_id)
    assert shown.fields()["EXPIRES"] == "never"
    assert "dw_" not in shown.out
    assert doorward_cli("tokens", "list", "-o", "id").lines() == [token_id]
    assert doorward_cli("tokens", "get", token_id, "-o", "json").json()["labelSelector"] == "group=A"


def test_update(api: FakeApi, doorward_cli: Doorward, token_id: str) -> None:
    """Name and expiry can be changed, and the expiry taken away."""
    arguments = ["--name", "other", "--expires-in", "1d12h"]
    assert doorward_cli("tokens", "update", token_id, *arguments).fields()["NAME"] == "other"
    assert api.state.tokens[token_id].HasField("expire_time")
    doorward_cli("tokens", "update", token_id, "--never-expires").lines()
    assert not api.state.tokens[token_id].HasField("expire_time")
    assert doorward_cli("tokens", "update", token_id).code == 2
    assert doorward_cli("tokens", "update", token_id, "--expires-in", "1d", "--never-expires").code == 2


def test_regenerate(api: FakeApi, doorward_cli: Doorward, token_id: str) -> None:
    """A regenerated token is shown with its new secret."""
    ended = doorward_cli("tokens", "regenerate", token_id, "--grace", "1h30m")
    assert ended.fields()["GENERATION"] == "2"
    assert ended.out.count("dw_") == 1
    assert sent(api, "RegenerateToken").grace_period.ToTimedelta() == timedelta(hours=1, minutes=30)
    answer = doorward_cli("tokens", "regenerate", token_id, "-o", "json").json()
    assert answer["policyUpdate"] == {"revision": "2", "enforcement": "ENFORCEMENT_EVERYWHERE"}


def test_a_change_that_may_not_have_reached_all(
    api: FakeApi, doorward_cli: Doorward, token_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a replica may still let the token through, that is said, and a program's answer stays whole."""
    partial = PolicyUpdate(revision=7, enforcement=Enforcement.ENFORCEMENT_REACHABLE_ONLY)
    monkeypatch.setattr(type(api.state), "narrowed", lambda _: partial)
    ended = doorward_cli("tokens", "delete", token_id, "-o", "json")
    assert ended.err.startswith("warning: the server has a policy lease of zero")
    assert yaml.safe_load(ended.out)["policyUpdate"]["enforcement"] == "ENFORCEMENT_REACHABLE_ONLY"


def test_delete(doorward_cli: Doorward, token_id: str) -> None:
    """A program that deletes is not asked whether it is sure."""
    assert doorward_cli("tokens", "delete", token_id).lines() == [f"token {token_id} deleted"]
    assert doorward_cli("tokens", "get", token_id).code == 5


@pytest.mark.parametrize("typed", ["\n", "n\n", "no\n"])
def test_a_person_is_asked(
    api: FakeApi, doorward_cli: Doorward, token_id: str, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    """A person who does not say yes has deleted nothing."""
    ended = at_a_terminal(monkeypatch, doorward_cli, typed, "tokens", "delete", token_id)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"Delete token {token_id}? [y/N]: ")
    assert api.state.seen["DeleteToken"] == []


@pytest.mark.parametrize(("typed", "options"), [("y\n", []), ("", ["--yes"])])
def test_a_person_who_is_sure(
    doorward_cli: Doorward, token_id: str, monkeypatch: pytest.MonkeyPatch, typed: str, options: list[str]
) -> None:
    """A person deletes by saying yes, before or when asked."""
    ended = at_a_terminal(monkeypatch, doorward_cli, typed, "tokens", "delete", token_id, *options)
    assert (ended.code, ended.out) == (0, f"token {token_id} deleted\n")


def test_a_person_who_leaves(doorward_cli: Doorward, token_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of input at the question is not a yes."""
    assert at_a_terminal(monkeypatch, doorward_cli, "", "tokens", "delete", token_id).code == 130


def test_preview(api: FakeApi, doorward_cli: Doorward) -> None:
    """A preview lists the apps that a scope opens."""
    ended = doorward_cli("tokens", "preview", "-l", "group=A", "--region", "GRA")
    assert (ended.code, ended.err) == (0, "no app matches\n")
    doorward_cli("apps", "create", "hello", "--region", "GRA", "--external", "a:1")
    assert "hello" in doorward_cli("tokens", "preview", "--all-apps").lines()[1]
    first, second = (seen.request for seen in api.state.seen["PreviewSelector"])
    assert (first.label_selector, first.region) == ("group=A", "GRA")  # type: ignore[attr-defined]
    assert second.all_apps  # type: ignore[attr-defined]


def test_explain(api: FakeApi, doorward_cli: Doorward) -> None:
    """An explanation has the answer, then each rule; it has what is false for programs too."""
    about = ("--token", "1B2m9cQk0XyZ", "--app", "some-app")
    lines = doorward_cli("tokens", "explain", *about, "--method", "POST", "--path", "/x").lines()
    assert lines[:4] == ["ALLOWED      no", "REASON       OUT_OF_SCOPE", "HTTP STATUS  403", ""]
    assert lines[-1].split() == ["selector", "no", *["group=A", "does", "not", "match", "group=B"]]
    assert (sent(api, "ExplainAccess").method, sent(api, "ExplainAccess").path) == ("POST", "/x")
    assert doorward_cli("tokens", "explain", *about, "-o", "json").json()["allowed"] is False


@pytest.mark.parametrize(
    "arguments",
    [
        ("tokens", "get"),
        ("tokens", "delete"),
        ("tokens", "regenerate"),
        ("apps", "get"),
        ("tokens", "explain", "--app", "x", "--token"),
        ("audit", "list", "--actor"),
    ],
)
def test_a_secret_in_the_place_of_an_id(
    api: FakeApi, doorward_cli: Doorward, arguments: tuple[str, ...]
) -> None:
    """A secret that is given as an id is neither sent nor shown."""
    secret = mint("1B2m9cQk0XyZ")
    ended = doorward_cli(*arguments, secret)
    assert ended.code == 2
    assert "that is a secret; a token's id is the 12 characters after dw_" in ended.err
    assert secret not in ended.out + ended.err
    assert not any(api.state.seen.values())


def test_audit(api: FakeApi, doorward_cli: Doorward) -> None:
    """The audit is a table, newest first, with filters; times may be how long ago."""
    event = AuditEvent(
        event_id=1,
        actor_token_id=ADMIN_ID,
        action="DeleteToken",
        resource_type="token",
        resource_id="it",
        policy_revision=7,
        details={"display_name": "ci"},
    )
    event.time.FromJsonString("2026-01-02T03:04:05Z")
    api.state.events += [event, AuditEvent(event_id=0, action="Bootstrap")]
    filters = ("--actor", ADMIN_ID, "--action", "DeleteToken", "--resource", "it", "--since", "24h")
    _, first, second = doorward_cli("audit", "list", *filters, "--until", "2030-01-01T00:00:00Z").lines()
    assert first.split() == [
        *("2026-01-02T03:04:05Z", ADMIN_ID, "DeleteToken", "token/it", "7", "display_name=ci"),
    ]
    assert "(platform)" in second
    request = sent(api, "ListAuditEvents")
    assert (request.actor_token_id, request.action, request.resource_id) == (ADMIN_ID, "DeleteToken", "it")
    ago = datetime.now(UTC) - request.start_time.ToDatetime(UTC)
    assert abs(ago - timedelta(hours=24)) < timedelta(minutes=1)
    assert request.end_time.ToDatetime(UTC) == datetime(2030, 1, 1, tzinfo=UTC)
    (one,) = doorward_cli("audit", "list", "--limit", "1", "-o", "json").json()
    assert one["eventId"] == "1"
    assert doorward_cli("audit", "list", "--since", "yesterday").code == 2


def test_whoami(doorward_cli: Doorward) -> None:
    """The token in use is shown."""
    assert doorward_cli("whoami").fields()["ROLE"] == "ADMIN"
    assert doorward_cli("whoami", "-o", "id").lines() == [ADMIN_ID]
    assert doorward_cli("whoami", "-o", "json").json()["role"] == Role.Name(Role.ROLE_ADMIN)
