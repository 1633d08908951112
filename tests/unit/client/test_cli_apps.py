"""`doorward apps`."""

import json
from typing import Any

import pytest
import yaml

from doorward.v1.app_pb2 import App, AppSpec, AppState, AppStatus
from doorward.v1.app_service_pb2 import LogStream, ReadAppLogsResponse
from tests.unit.client.cli import Doorward
from tests.unit.client.fake_api import FakeApi

NOBODY = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"


def sent(api: FakeApi, rpc: str) -> Any:
    """Return the request of the only call of an RPC."""
    return api.seen(rpc).request


def updates(api: FakeApi) -> list[Any]:
    """Return the requests of all calls of UpdateApp."""
    return [call.request for call in api.state.seen["UpdateApp"]]


def test_create_a_process(api: FakeApi, doorward_cli: Doorward) -> None:
    """Everything after -- is the command, options and all; the app that was created is shown."""
    shown = doorward_cli(
        *("apps", "create", "hello", "--region", "GRA", "--label", "group=A", "--label", "tier="),
        *("--process", "--env", "MODE=a=b", "--working-dir", "/srv", "--access", "PUBLIC"),
        *("--operator-path", "/admin", "--operator-path", "/ops", "--readiness-path", "/health"),
        *("--readiness-period", "2s", "--readiness-failure-threshold", "5", "--cors-preflight"),
        *("--", "python", "hello.py", "--port", "{port}", "--region", "x"),
    ).fields()
    app = sent(api, "CreateApp").app
    assert app.labels == {"group": "A", "tier": ""}
    assert list(app.spec.process.command) == ["python", "hello.py", "--port", "{port}", "--region", "x"]
    assert app.spec.process.env == {"MODE": "a=b"}
    assert app.spec.process.working_dir == "/srv"
    assert list(app.spec.operator_paths) == ["/admin", "/ops"]
    assert (app.spec.readiness.path, app.spec.readiness.period.seconds) == ("/health", 2)
    assert app.spec.readiness.failure_threshold == 5
    assert app.spec.cors_preflight
    assert (shown["NAME"], shown["STATE"], shown["ACCESS"]) == ("hello", "QUEUED", "PUBLIC")
    assert shown["URL"] == f"http://{shown['ID']}.app.gra.localhost:8080"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "give one of --process -- COMMAND... and --external HOST:PORT"),
        (["--process", "--external", "a:1", "--", "x"], "give one of --process"),
        (["--process"], "--process needs the command to run after --"),
        (["--", "x"], "give one of --process"),
        (["--external", "a:1", "--", "x"], "COMMAND, --env and --working-dir are for --process alone"),
        (["--external", "a:1", "--env", "A=b"], "COMMAND, --env and --working-dir are for --process alone"),
        (["--process", "--env", "secret", "--", "x"], "expected NAME=VALUE, with a key before the first ="),
        (["--external", "a:1", "--label", "=b"], "expected KEY=VALUE, with a key before the first ="),
        (["--external", "a:1", "--label", "a=b", "--label", "a=c"], "--label gives a key more than once"),
        (["--external", "a:1", "--access", "all"], "'all' is not one of 'token-required', 'public'"),
        (["--external", "a:1", "--readiness-period", "1"], "'1' is not a duration such as 90d, 12h"),
        (["--external", "a:1", "--readiness-period", "0s"], "'0s' must be longer than zero"),
    ],
)
def test_create_wrongly(api: FakeApi, doorward_cli: Doorward, arguments: list[str], text: str) -> None:
    """A create that contradicts itself is refused here, in one line, and nothing is sent."""
    ended = doorward_cli("apps", "create", "hello", "--region", "GRA", *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith("error: ")
    assert text in ended.err
    assert "secret" not in ended.err
    assert api.state.seen["CreateApp"] == []


@pytest.mark.parametrize("command", ["create", "start"])
def test_waiting_for_running(api: FakeApi, doorward_cli: Doorward, app_id: str, command: str) -> None:
    """With --wait the command returns when the app runs, and shows it as it is then."""
    api.state.statuses.append(AppStatus(state=AppState.APP_STATE_RUNNING, message="ready"))
    arguments = ["hello", "--region", "GRA", "--external", "a:1"] if command == "create" else [app_id]
    ended = doorward_cli("apps", command, *arguments, "--wait")
    awaited = list(api.state.apps)[-1]
    assert ended.noting(f"app {awaited}: RUNNING: ready").fields()["STATE"] == "RUNNING: ready"


def test_waiting_for_stopped(api: FakeApi, doorward_cli: Doorward, app_id: str) -> None:
    """With --wait a stop returns when the app has stopped."""
    api.state.statuses += [
        AppStatus(state=getattr(AppState, f"APP_STATE_{s}")) for s in ("STOPPING", "STOPPED")
    ]
    ended = doorward_cli("apps", "stop", app_id, "--wait")
    assert ended.noting(f"app {app_id}: STOPPING", f"app {app_id}: STOPPED").fields()["STATE"] == "STOPPED"


def test_waiting_in_vain(api: FakeApi, doorward_cli: Doorward) -> None:
    """An app that gives up ends the wait with its id and its reason."""
    api.state.statuses.append(AppStatus(state=AppState.APP_STATE_FAILED, message="exit status 3"))
    ended = doorward_cli("apps", "create", "a", "--region", "GRA", "--external", "a:1", "--wait")
    (app_id,) = api.state.apps
    assert (ended.code, ended.out) == (8, "")
    assert ended.err.splitlines() == [
        f"app {app_id}: FAILED: exit status 3",
        f"error: app {app_id} is FAILED, not RUNNING: exit status 3",
    ]


def test_list(api: FakeApi, doorward_cli: Doorward, app_id: str) -> None:
    """A list is a table with a line for each app."""
    heading, line = doorward_cli(
        "apps", "list", "-l", "group=A", "--region", "GRA", "--state", "running"
    ).lines()
    assert heading.split() == ["ID", "NAME", "REGION", "STATE", "AGE", "LABELS"]
    assert line.split() == [app_id, "hello", "GRA", "QUEUED", "0s", f"group=A,ovh/id={app_id}"]
    request = sent(api, "ListApps")
    assert (request.label_selector, request.region) == ("group=A", "GRA")
    assert list(request.states) == [AppState.APP_STATE_RUNNING]


def test_list_for_programs(doorward_cli: Doorward, app_id: str) -> None:
    """For programs a list is the JSON of the REST API, in YAML too, or ids and addresses alone."""
    (app,) = doorward_cli("apps", "list", "-o", "json").json()
    assert (app["appId"], app["displayName"], app["status"]["state"]) == (app_id, "hello", "APP_STATE_QUEUED")
    assert app["spec"]["operatorPaths"] == []
    assert yaml.safe_load(doorward_cli("apps", "list", "-o", "yaml").out) == [app]
    assert doorward_cli("apps", "list", "-o", "id").lines() == [app_id]
    assert doorward_cli("apps", "list", "-o", "url").lines() == [app["status"]["url"]]


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_an_empty_list(doorward_cli: Doorward, output: str) -> None:
    """A list of nothing is still a list for programs, and a note for people."""
    assert yaml.safe_load(doorward_cli("apps", "list", "-o", output).out) == []
    ended = doorward_cli("apps", "list")
    assert (ended.code, ended.out, ended.err) == (0, "", "no apps\n")


@pytest.mark.parametrize(("limit", "pages"), [(None, 1), (2, 1), (3, 1)])
def test_limits(api: FakeApi, doorward_cli: Doorward, limit: int | None, pages: int) -> None:
    """A list is whole unless it is limited."""
    for name in "abc":
        doorward_cli("apps", "create", name, "--region", "GRA", "--external", "a:1")
    arguments = [] if limit is None else ["--limit", str(limit)]
    assert len(doorward_cli("apps", "list", "-o", "id", *arguments).lines()) == (limit or 3)
    assert len(api.state.seen["ListApps"]) == pages


def test_get(doorward_cli: Doorward, app_id: str) -> None:
    """An app is shown with its labels, one a line."""
    lines = doorward_cli("apps", "get", app_id).lines()
    assert lines[lines.index("LABELS          group=A") + 1] == f"                ovh/id={app_id}"
    assert doorward_cli("apps", "get", app_id, "-o", "json").json()["appId"] == app_id


def test_json_is_in_the_order_of_the_protos(doorward_cli: Doorward, app_id: str) -> None:
    """Two answers can be compared line by line: fields as they are declared, labels by their key."""
    doorward_cli("apps", "update", app_id, *("--label", "b=1", "--label", "a=1", "--label", "c=1"))
    app = json.loads(doorward_cli("apps", "get", app_id, "-o", "json").out)
    declared = [field.json_name for field in App.DESCRIPTOR.fields]
    assert list(app) == [name for name in declared if name in app]
    spec = [field.json_name for field in AppSpec.DESCRIPTOR.fields]
    assert list(app["spec"]) == [name for name in spec if name in app["spec"]]
    assert list(app["labels"]) == sorted(app["labels"])


def test_update_labels(api: FakeApi, doorward_cli: Doorward, app_id: str) -> None:
    """Labels that are not named stay, and none that is set meanwhile is lost."""
    doorward_cli("apps", "update", app_id, "--label", "tier=x", "--remove-label", "group").lines()
    request = sent(api, "UpdateApp")
    assert list(request.update_mask.paths) == ["labels"]
    assert request.app.labels == {"tier": "x", "ovh/id": app_id}
    assert request.app.etag == "1"


def test_update_the_rest(api: FakeApi, doorward_cli: Doorward, app_id: str) -> None:
    """Name, access and operator paths change alone; labels are not even read."""
    arguments = ["--name", "other", "--access", "public", "--operator-path", "/admin"]
    shown = doorward_cli("apps", "update", app_id, *arguments).fields()
    assert (shown["NAME"], shown["ACCESS"], shown["OPERATOR PATHS"]) == ("other", "PUBLIC", "/admin")
    assert shown["SOURCE"] == "external 127.0.0.1:1"
    assert api.state.seen["GetApp"] == []
    assert doorward_cli("apps", "update", app_id, "--no-operator-paths").fields()["OPERATOR PATHS"] == "-"


def test_update_the_source(api: FakeApi, doorward_cli: Doorward, app_id: str) -> None:
    """An app can be moved, also from one kind of source to the other, and nothing else changes with it."""
    doorward_cli("apps", "update", app_id, "--process", "--env", "KEY=", "--", "python", "--env").lines()
    request = sent(api, "UpdateApp")
    assert list(request.update_mask.paths) == ["spec.process"]
    assert list(request.app.spec.process.command) == ["python", "--env"]
    assert request.app.spec.process.env == {"KEY": ""}
    shown = doorward_cli("apps", "update", app_id, "--external", "127.0.0.1:2").fields()
    assert shown["SOURCE"] == "external 127.0.0.1:2"


def test_update_the_readiness(api: FakeApi, doorward_cli: Doorward, app_id: str) -> None:
    """What is not named of it stays, and none that is set meanwhile is lost."""
    doorward_cli("apps", "update", app_id, "--readiness-path", "/health", "--readiness-period", "2s").lines()
    doorward_cli("apps", "update", app_id, "--readiness-failure-threshold", "7").lines()
    doorward_cli("apps", "update", app_id, "--readiness-path", "").lines()
    probes = [each.app.spec.readiness for each in updates(api)]
    assert [(each.path, each.period.seconds, each.failure_threshold) for each in probes] == [
        ("/health", 2, 0),
        ("/health", 2, 7),
        ("", 2, 7),
    ]
    assert [list(each.update_mask.paths) for each in updates(api)] == [["spec.readiness"]] * 3
    assert all(each.app.etag for each in updates(api))


def test_update_cors(api: FakeApi, doorward_cli: Doorward, app_id: str) -> None:
    """Preflights can be let through and held up again."""
    for option in ("--cors-preflight", "--no-cors-preflight"):
        doorward_cli("apps", "update", app_id, option).lines()
    assert [list(each.update_mask.paths) for each in updates(api)] == [["spec.cors_preflight"]] * 2
    assert [each.app.spec.cors_preflight for each in updates(api)] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "nothing to change: give at least one option"),
        (["--remove-label", "x"], "--remove-label: the app has no label 'x'"),
        (["--operator-path", "/a", "--no-operator-paths"], "contradict each other"),
        (["--process", "--external", "a:1", "--", "x"], "give one of --process"),
        (["--env", "A=b"], "give one of --process"),
        (["--external", "a:1", "--working-dir", "/srv"], "are for --process alone"),
        (["--readiness-failure-threshold", "21"], "21 is not in the range"),
    ],
)
def test_update_wrongly(
    api: FakeApi, doorward_cli: Doorward, app_id: str, arguments: list[str], text: str
) -> None:
    """An update that says nothing, or too much, changes nothing."""
    ended = doorward_cli("apps", "update", app_id, *arguments)
    assert ended.code == 2
    assert text in ended.err
    assert api.state.seen["UpdateApp"] == []


def test_stop_start_delete(doorward_cli: Doorward, app_id: str) -> None:
    """An app is stopped, started and deleted by its id; a program is not asked whether it is sure."""
    assert doorward_cli("apps", "stop", app_id).fields()["STATE"] == "STOPPING"
    assert doorward_cli("apps", "start", app_id).fields()["STATE"] == "QUEUED"
    assert doorward_cli("apps", "delete", app_id).lines() == [f"app {app_id} deleted"]
    assert doorward_cli("apps", "get", app_id).code == 5


def test_delete_for_programs(doorward_cli: Doorward, app_id: str) -> None:
    """For programs a delete answers how far it has reached, as the REST API does."""
    answer = doorward_cli("apps", "delete", app_id, "-o", "json").json()
    assert answer == {"policyUpdate": {"revision": "1", "enforcement": "ENFORCEMENT_EVERYWHERE"}}


def test_logs(api: FakeApi, doorward_cli: Doorward) -> None:
    """Lines are printed as they were, and with --timestamps when and where."""
    line = ReadAppLogsResponse(line="  \thello", stream=LogStream.LOG_STREAM_STDERR)
    line.time.FromJsonString("2026-01-02T03:04:05.678Z")
    api.state.lines.append(line)
    assert doorward_cli("apps", "logs", NOBODY).out == "  \thello\n"
    shown = doorward_cli("apps", "logs", NOBODY, "-t", "--tail", "7").out
    assert shown == "2026-01-02T03:04:05Z stderr     \thello\n"
    assert api.state.seen["ReadAppLogs"][1].request.tail_lines == 7  # type: ignore[attr-defined]
    assert json.loads(doorward_cli("apps", "logs", NOBODY, "--all", "-o", "json").out)["line"] == "  \thello"
    assert api.state.seen["ReadAppLogs"][2].request.tail_lines == -1  # type: ignore[attr-defined]
    documents = doorward_cli("apps", "logs", NOBODY, "-o", "yaml").out
    assert [document["stream"] for document in yaml.safe_load_all(documents)] == ["LOG_STREAM_STDERR"]
    assert doorward_cli("apps", "logs", NOBODY, "--all", "--tail", "1").code == 2


def test_hostile_names_and_lines(api: FakeApi, doorward_cli: Doorward, app_id: str) -> None:
    """A name or a line that an app chose cannot move the cursor, colour the screen or fake a line."""
    api.state.apps[app_id].display_name = "a\x1b[2J\nforged\u202e"
    api.state.lines.append(ReadAppLogsResponse(line="\x1b]0;title\x07\rfake\u2028x"))
    assert r"a\x1b[2J\nforged\u202e" in doorward_cli("apps", "list").out
    assert r"a\x1b[2J\nforged\u202e" in doorward_cli("apps", "get", app_id).out
    assert doorward_cli("apps", "logs", app_id).out == "\\x1b]0;title\\x07\\rfake\\u2028x\n"
    for output in ("json", "yaml"):
        shown = doorward_cli("apps", "get", app_id, "-o", output).out
        assert shown.isascii()
        assert "\x1b" not in shown
