"""`doorward apps create -f`: apps as files describe them, and what is said of a file that is wrong."""

from pathlib import Path

import grpc
import pytest

from doorward.v1.app_pb2 import Access
from tests.unit.client.cli import Doorward
from tests.unit.client.fake_api import FakeApi
from tests.unit.client.terminal import piped

APP = """
displayName: hello
region: GRA
labels: {group: A, tier: ""}
spec:
  process:
    command: [python3, hello.py, --port, "{port}"]
    env: {API_KEY: key-of-the-app}
    workingDir: /srv
  access: public
  operatorPaths: [/admin]
  readiness: {path: /health, period: 1m30s, failureThreshold: 5}
  corsPreflight: true
"""
EXTERNAL = "displayName: shop\nregion: GRA\nspec: {external: {address: 'a:1'}}\n"


def test_every_field(api: FakeApi, doorward_cli: Doorward, tmp_path: Path) -> None:
    """A file says all that options can say."""
    (tmp_path / "app.yaml").write_text(APP, encoding="utf-8")
    shown = doorward_cli("apps", "create", "-f", "app.yaml").fields()
    app = api.seen("CreateApp").request.app  # type: ignore[attr-defined]
    assert (app.display_name, app.region, app.labels) == ("hello", "GRA", {"group": "A", "tier": ""})
    process = app.spec.process
    assert list(process.command) == ["python3", "hello.py", "--port", "{port}"]
    assert (process.env, process.working_dir) == ({"API_KEY": "key-of-the-app"}, "/srv")
    assert (app.spec.access, list(app.spec.operator_paths)) == (Access.ACCESS_PUBLIC, ["/admin"])
    readiness = app.spec.readiness
    assert (readiness.path, readiness.period.seconds, readiness.failure_threshold) == ("/health", 90, 5)
    assert app.spec.cors_preflight
    assert shown["NAME"] == "hello"


def test_what_was_answered_can_be_given_back(
    api: FakeApi, doorward_cli: Doorward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON and YAML as `apps get` prints them make the same app again, but for the id."""
    first = piped(monkeypatch, doorward_cli, EXTERNAL, "apps", "create", "-f", "-", "-o", "json").json()
    for output in ("json", "yaml"):
        answered = doorward_cli("apps", "get", first["appId"], "-o", output).out
        refused = piped(monkeypatch, doorward_cli, answered, "apps", "create", "-f", "-")
        assert (refused.code, "appId: the server chooses it" in refused.err) == (2, True)
        without = answered.replace("appId", "app_id").replace(first["appId"], "", 1)
        assert piped(monkeypatch, doorward_cli, without, "apps", "create", "-f", "-", "-q").code == 0
    requests = [seen.request.app for seen in api.state.seen["CreateApp"]]  # type: ignore[attr-defined]
    assert [request.spec for request in requests] == [requests[0].spec] * 3


def test_a_name_in_the_place_of_a_file(api: FakeApi, doorward_cli: Doorward, tmp_path: Path) -> None:
    """What a file says cannot be said by options as well; without a file, name and region are needed."""
    (tmp_path / "app.yaml").write_text(EXTERNAL, encoding="utf-8")
    ended = doorward_cli("apps", "create", "hello", "-f", "app.yaml", "--label", "a=b")
    assert ended.code == 2
    assert ended.err.startswith("error: -f says it all: leave out name, --label")
    assert doorward_cli("apps", "create", "hello", "--external", "a:1").err.startswith("error: give NAME and")
    assert api.state.seen["CreateApp"] == []


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("- a: 1", ["document 1, item 1: a: unknown; known here: appId, displayName, region, labels, spec"]),
        (EXTERNAL + "---\n7", ["document 2: expected a mapping, not a number"]),
        (EXTERNAL.replace("address", "adress"), ["spec.external.adress: unknown; did you mean address?"]),
        (EXTERNAL.replace("address", "adress"), ["spec.external.address: is required"]),
        ("region: GRA\nspec: {external: {address: 'a:1'}}", ["document 1: displayName: is required"]),
        (EXTERNAL + "labels: {tier: 1}", ["labels.tier: expected text, not a number: put it in quotes"]),
        (EXTERNAL + "labels: {tier: no}", ["labels.tier: expected text, not yes or no: put it in quotes"]),
        (EXTERNAL + "labels: {when: 2026-01-01}", ["labels.when: expected text, not a date: put it in"]),
        (EXTERNAL + "labels: {1: a}", ["labels: a key must be text, not a number: put it in quotes"]),
        (EXTERNAL + "labels: [a]", ["labels: expected a mapping, not a list"]),
        (EXTERNAL + "display_name: x", ["display_name: is displayName in another spelling"]),
        (EXTERNAL.replace("}}", "}, access: all}"), ["spec.access: expected one of token-required, public"]),
        (EXTERNAL.replace("}}", "}, corsPreflight: 1}"), ["corsPreflight: expected yes or no, not a number"]),
        (EXTERNAL.replace("}}", "}, operatorPaths: /a}"), ["operatorPaths: expected a list, not text"]),
        (EXTERNAL.replace("}}", "}, operatorPaths: [1]}"), ["operatorPaths[0]: expected text, not a number"]),
        (EXTERNAL.replace("}}", "}, readiness: {period: 5}}"), ["period: expected a duration such as 2s"]),
        (
            EXTERNAL.replace("}}", "}, readiness: {failureThreshold: 9999999999}}"),
            ["spec.readiness.failureThreshold: is too large a number"],
        ),
        (
            EXTERNAL.replace("}}", "}, process: {command: [a]}}"),
            ["spec: external and process contradict each other: give one of them"],
        ),
        ("displayName: a\nregion: GRA\nspec: {}", ["spec: source is required: give external or process"]),
        ("displayName: a\nregion: GRA\nspec: {process: {}}", ["spec.process.command: is required"]),
        ("displayName: a\nregion: GRA\nspec: text", ["spec: expected a mapping, not text"]),
        ("a: 1\na: 2", ["line 2, column 1: the key comes twice"]),
        ("a: &x {}\nb: *x", ["line 2, column 4: aliases are not taken"]),
        ("a: [", ["line 1, column 5: expected the node content, but found '<stream end>'"]),
        ("a: !!python/object:os.system x", ["could not determine a constructor for the tag"]),
        ("a: 2026-13-45", ["has a value with the look of a date or number and is none"]),
        ("a: \x01", ["has characters that YAML does not allow"]),
        ("[" * 5000, ["is nested too deeply"]),
        ("---\n---\n", ["there is no document in it"]),
        ("", ["there is no document in it"]),
        (EXTERNAL + "---\n" + EXTERNAL, ["-f has 2 apps: create makes one"]),
    ],
)
def test_files_that_are_wrong(
    api: FakeApi, doorward_cli: Doorward, tmp_path: Path, text: str, faults: list[str]
) -> None:
    """Every fault is a line with file, document and path, and nothing is sent."""
    (tmp_path / "app.yaml").write_text(text, encoding="utf-8")
    ended = doorward_cli("apps", "create", "-f", "app.yaml")
    assert (ended.code, ended.out) == (2, "")
    lines = ended.err.splitlines()
    assert all(line.startswith("error: ") for line in lines)
    assert [fault for fault in faults if fault not in ended.err] == []
    assert not any(api.state.seen.values())


@pytest.mark.parametrize(
    "content", [None, b"\xff\xfe\x00", b"a" * (4 * 1024 * 1024 + 1)], ids=["missing", "binary", "large"]
)
def test_files_that_cannot_be_read(doorward_cli: Doorward, tmp_path: Path, content: bytes | None) -> None:
    """A file that is not there, is no text or is too large is one line."""
    if content is not None:
        (tmp_path / "app.yaml").write_bytes(content)
    ended = doorward_cli("apps", "create", "-f", "app.yaml")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith("error: app.yaml: ")


@pytest.mark.parametrize(
    "text",
    [
        APP.replace("API_KEY: key-of-the-app", "API_KEY: [key-of-the-app]"),
        APP.replace("env: {API_KEY: key-of-the-app}", "env: key-of-the-app"),
        APP.replace("{API_KEY: key-of-the-app}", "{API_KEY: key-of-the-app, API_KEY: x}"),
        APP.replace("access: public", "access: key-of-the-app"),
        APP.replace("period: 1m30s", "period: key-of-the-app"),
        APP + "\nspec: key-of-the-app: x",
    ],
)
def test_no_error_shows_a_value(doorward_cli: Doorward, tmp_path: Path, text: str) -> None:
    """A value may be a secret, also where it stands by mistake: no error has it."""
    (tmp_path / "app.yaml").write_text(text, encoding="utf-8")
    ended = doorward_cli("apps", "create", "-f", "app.yaml")
    assert ended.code == 2
    assert "key-of-the-app" not in ended.err


def test_what_the_api_refuses(api: FakeApi, doorward_cli: Doorward, tmp_path: Path) -> None:
    """A rule that only the api knows is told of the document, in its own names."""
    (tmp_path / "app.yaml").write_text(EXTERNAL, encoding="utf-8")
    code, reason = grpc.StatusCode.INVALID_ARGUMENT, "ERROR_REASON_INVALID_FIELD"
    api.fail("CreateApp", code, reason=reason, violations={"app.labels": "key 'a b': not a name"})
    ended = doorward_cli("apps", "create", "-f", "app.yaml")
    assert (ended.code, ended.err) == (2, "error: app.yaml, document 1: labels: key 'a b': not a name\n")
