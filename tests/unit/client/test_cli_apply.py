"""`doorward apps apply`: what is shown, what is asked, what is done."""

import json
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml

from doorward.v1.app_pb2 import Access, App, AppState, AppStatus
from tests.unit.client.cli import Doorward, Ended
from tests.unit.client.fake_api import FakeApi
from tests.unit.client.terminal import at_a_terminal, piped

HELLO = """
displayName: hello
region: GRA
labels: {group: A}
spec:
  process:
    command: [python3, hello.py]
    env: {KEY: key-of-the-app}
"""
SHOP = "displayName: shop\nregion: GRA\nspec: {external: {address: 'Shop.Example:0080'}}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that declares two apps."""
    file = tmp_path / "apps.yaml"
    file.write_text(f"{HELLO}---\n{SHOP}", encoding="utf-8")
    return file


def applied(doorward_cli: Doorward, *options: str) -> Ended:
    """Apply the file without being asked."""
    return doorward_cli("apps", "apply", "-f", "apps.yaml", "--yes", *options)


def named(api: FakeApi, name: str) -> App:
    """Return the only app of a name."""
    (app,) = [app for app in api.state.apps.values() if app.display_name == name]
    return app


def updates(api: FakeApi) -> list[Any]:
    """Return the requests of all calls of UpdateApp."""
    return [call.request for call in api.state.seen["UpdateApp"]]


def test_apps_that_are_missing(api: FakeApi, doorward_cli: Doorward, file: Path) -> None:
    """What is missing is created, with all that is declared, after it was shown."""
    ended = applied(doorward_cli)
    hello, shop = named(api, "hello"), named(api, "shop")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0] == "apps.yaml, document 1: create app hello in GRA"
    assert '+ labels.group: "A"' in lines
    assert "+ spec.process.env.KEY: (hidden)" in lines
    assert "spec.readiness" not in ended.out  # defaults go without saying
    assert lines[-1] == "2 of 2 changes made, 0 as declared"
    assert "key-of-the-app" not in ended.out + ended.err
    assert ended.err.splitlines() == [f"app {hello.app_id} created", f"app {shop.app_id} created"]
    first: Any = api.state.seen["CreateApp"][0].request
    assert first.app.spec.process.env == {"KEY": "key-of-the-app"}


def test_a_second_time(api: FakeApi, doorward_cli: Doorward, file: Path) -> None:
    """What is declared already is not changed again, and that is said; nobody need be asked."""
    applied(doorward_cli)
    named(api, "shop").spec.external.address = "shop.example:80"  # as the api answers it
    ended = doorward_cli("apps", "apply", "-f", "apps.yaml")
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "nothing to change: 2 as declared")
    assert "is as declared" in ended.out.splitlines()[0]
    assert ended.err == "apps.yaml, document 1: the values of env are not compared; --send-env sends them\n"
    assert updates(api) == []
    assert len(api.state.seen["CreateApp"]) == 2


def test_what_differs_is_shown_and_changed(api: FakeApi, doorward_cli: Doorward, file: Path) -> None:
    """An app that differs is changed where it differs and nowhere else, if it is still the one shown."""
    applied(doorward_cli)
    app = named(api, "hello")
    app.labels.update({"group": "B", "extra": "x"})
    app.spec.access = Access.ACCESS_PUBLIC
    app.spec.operator_paths.append("/ops")
    app.spec.readiness.failure_threshold = 7
    ended = applied(doorward_cli)
    assert ended.out.splitlines()[:9] == [
        f"apps.yaml, document 1: update app hello, {app.app_id}",
        '- labels.extra: "x"',
        '- labels.group: "B"',
        '+ labels.group: "A"',
        "- spec.access: public",
        "+ spec.access: token_required",
        "- spec.operatorPaths[/ops]: yes",
        "- spec.readiness.failureThreshold: 7",
        "+ spec.readiness.failureThreshold: 3",
    ]
    (request,) = updates(api)
    mask = ["labels", "spec.access", "spec.operator_paths", "spec.readiness"]
    assert list(request.update_mask.paths) == mask
    assert (request.app.app_id, request.app.labels, request.app.etag) == (app.app_id, {"group": "A"}, "1")


def test_another_source(api: FakeApi, doorward_cli: Doorward, file: Path) -> None:
    """A source is changed as a whole, with the values of its environment."""
    applied(doorward_cli)
    file.write_text(HELLO.replace("hello.py", "other.py"), encoding="utf-8")
    applied(doorward_cli)
    file.write_text(SHOP.replace("shop", "hello"), encoding="utf-8")
    applied(doorward_cli)
    first, second = updates(api)
    assert list(first.update_mask.paths) == ["spec.process"]
    assert first.app.spec.process.env == {"KEY": "key-of-the-app"}
    assert list(second.update_mask.paths) == ["labels", "spec.external"]


def test_values_that_are_sent_when_asked(api: FakeApi, doorward_cli: Doorward, file: Path) -> None:
    """The values of an environment, which nobody can compare, are sent with --send-env."""
    applied(doorward_cli)
    ended = applied(doorward_cli, "--send-env")
    assert "+ spec.process.env.KEY: (sent anew)" in ended.out.splitlines()
    (request,) = updates(api)
    assert list(request.update_mask.paths) == ["spec.process"]
    assert request.app.spec.process.env == {"KEY": "key-of-the-app"}


def test_a_dry_run(api: FakeApi, doorward_cli: Doorward, file: Path) -> None:
    """A dry run shows what would be, and changes nothing; nobody need be asked."""
    ended = doorward_cli("apps", "apply", "-f", "apps.yaml", "--dry-run")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[-1] == "dry run: 2 to create, 0 to update, 0 as declared"
    assert api.state.apps == {}
    steps = doorward_cli("apps", "apply", "-f", "apps.yaml", "--dry-run", "-o", "json").json()
    assert [(step["action"], step["app"]) for step in steps] == [("create", None)] * 2
    change = {"path": "labels.group", "before": None, "after": '"A"'}
    assert change in steps[0]["changes"]


def test_a_person_is_asked(
    api: FakeApi, doorward_cli: Doorward, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person who does not say yes has changed nothing, and one who does has."""
    arguments = ("apps", "apply", "-f", "apps.yaml")
    ended = at_a_terminal(monkeypatch, doorward_cli, "n\n", *arguments)
    assert (ended.code, api.state.apps) == (1, {})
    assert "Make these 2 changes? [y/N]: " in ended.err
    assert at_a_terminal(monkeypatch, doorward_cli, "y\n", *arguments).code == 0
    assert len(api.state.apps) == 2


def test_nobody_to_ask(
    api: FakeApi, doorward_cli: Doorward, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program, or a file on standard input, needs --yes: it is not taken for granted."""
    assert doorward_cli("apps", "apply", "-f", "apps.yaml").code == 2
    assert at_a_terminal(monkeypatch, doorward_cli, SHOP, "apps", "apply", "-f", "-").code == 2
    assert api.state.apps == {}
    assert piped(monkeypatch, doorward_cli, SHOP, "apps", "apply", "-f", "-", "--yes").code == 0
    assert len(api.state.apps) == 1


def test_by_id(api: FakeApi, doorward_cli: Doorward, file: Path) -> None:
    """A document with an id is about that app, whose name it may change; a label of the platform stays."""
    applied(doorward_cli)
    shop = named(api, "shop")
    data = yaml.safe_load(doorward_cli("apps", "get", shop.app_id, "-o", "yaml").out)
    file.write_text(yaml.safe_dump([data | {"displayName": "store"}]), encoding="utf-8")
    assert applied(doorward_cli, "-o", "id").out.split() == [shop.app_id]
    (request,) = updates(api)
    assert list(request.update_mask.paths) == ["display_name"]
    assert named(api, "store").app_id == shop.app_id


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (SHOP + "---\n" + SHOP, "document 2: is about the same app as apps.yaml, document 1"),
        (SHOP.replace("shop", "new") + "---\n" + SHOP.replace("shop", "new"), "is about the same app as"),
        (SHOP.replace("shop", "twin"), "displayName: 2 apps in GRA have the name 'twin': give appId, one of"),
        (SHOP + "appId: 3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11", "appId: there is no app 3f0c1c9e"),
    ],
)
def test_what_is_not_clear(api: FakeApi, doorward_cli: Doorward, file: Path, text: str, fault: str) -> None:
    """What could be meant in two ways is refused with the document's place, and nothing is changed."""
    applied(doorward_cli)
    for _ in range(2):
        doorward_cli("apps", "create", "twin", "--region", "GRA", "--external", "a:1")
    doorward_cli("apps", "create", "twin", "--region", "SBG", "--external", "a:1")
    calls = len(api.state.seen["CreateApp"])
    file.write_text(text, encoding="utf-8")
    ended = applied(doorward_cli)
    assert (ended.code, ended.out) == (2, "")
    assert fault in ended.err
    assert ended.err.startswith("error: apps.yaml, document ")
    assert (len(api.state.seen["CreateApp"]), updates(api)) == (calls, [])


def test_an_app_in_another_region(api: FakeApi, doorward_cli: Doorward, file: Path) -> None:
    """An app cannot be moved, and one that is going is not there any more."""
    applied(doorward_cli)
    shop = named(api, "shop")
    file.write_text(SHOP.replace("GRA", "SBG") + f"appId: {shop.app_id}", encoding="utf-8")
    assert "region: the app is in GRA, and cannot be moved" in applied(doorward_cli).err
    shop.status.state = AppState.APP_STATE_DELETING
    assert "appId: there is no app" in applied(doorward_cli).err
    file.write_text(SHOP, encoding="utf-8")
    assert applied(doorward_cli).out.startswith("apps.yaml, document 1: create app shop in GRA")


def test_somebody_else_was_faster(
    api: FakeApi, doorward_cli: Doorward, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app that changes between what was shown and the change is left alone, and the others go on."""
    applied(doorward_cli)
    for name in ("hello", "shop"):
        named(api, name).labels["extra"] = "x"
    code = grpc.StatusCode.ABORTED
    api.fail("UpdateApp", code, "it has changed", reason="ERROR_REASON_ETAG_MISMATCH")
    ended = applied(doorward_cli)
    assert ended.code == 6
    assert "error: apps.yaml, document 1: somebody else has changed the app meanwhile" in ended.err
    assert ended.out.splitlines()[-1] == "1 of 2 changes made, 0 as declared, 1 failed"
    assert dict(named(api, "shop").labels) == {}


def test_what_the_api_refuses(api: FakeApi, doorward_cli: Doorward, file: Path) -> None:
    """A rule that only the api knows is told of its document; different failures end with 1."""
    code, reason = grpc.StatusCode.INVALID_ARGUMENT, "ERROR_REASON_INVALID_FIELD"
    api.fail("CreateApp", code, reason=reason, violations={"app.spec.process.command": "too long"})
    api.fail("CreateApp", grpc.StatusCode.PERMISSION_DENIED, "not yours", reason="ERROR_REASON_ROLE_TOO_LOW")
    ended = applied(doorward_cli)
    assert (ended.code, ended.err.splitlines()) == (
        1,
        [
            "error: apps.yaml, document 1: spec.process.command: too long",
            "error: apps.yaml, document 2: not yours",
        ],
    )
    api.fail("ListApps", code, reason=reason, violations={"region": "no such region"})
    ended = applied(doorward_cli)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "error: apps.yaml, document 1: region: no such region\n"


def test_waiting(api: FakeApi, doorward_cli: Doorward, file: Path) -> None:
    """With --wait each app that was created or changed runs; one that is stopped stays so."""
    api.state.statuses = [AppStatus(state=AppState.APP_STATE_RUNNING)]
    answer = applied(doorward_cli, "--wait", "-o", "json")
    assert answer.code == 0
    assert answer.err.count(": RUNNING") == 2
    shop = named(api, "shop")
    shop.status.state = AppState.APP_STATE_STOPPED
    shop.labels["extra"] = "x"
    assert ": RUNNING" not in applied(doorward_cli, "--wait").err
    api.state.statuses = [AppStatus(state=AppState.APP_STATE_FAILED)]
    named(api, "hello").labels["extra"] = "x"
    assert applied(doorward_cli, "--wait").code == 8


def test_all_are_made_before_the_first_is_waited_for(
    api: FakeApi, doorward_cli: Doorward, file: Path
) -> None:
    """An app that does not come up holds up the waiting, and no change."""
    api.state.statuses = [AppStatus(state=AppState.APP_STATE_FAILED)]
    ended = applied(doorward_cli, "--wait")
    assert (ended.code, len(api.state.apps)) == (8, 2)
    assert ended.out.splitlines()[-1] == "2 of 2 changes made, 0 as declared, 2 failed"


def test_what_came_of_each_for_programs(api: FakeApi, doorward_cli: Doorward, file: Path) -> None:
    """A program gets every document with the app that there is now, or why there is none."""
    api.fail("CreateApp", grpc.StatusCode.PERMISSION_DENIED, "not yours", reason="ERROR_REASON_ROLE_TOO_LOW")
    ended = applied(doorward_cli, "-o", "json")
    first, second = json.loads(ended.out)
    assert (ended.code, first["error"], first["app"]) == (4, "not yours", None)
    assert (second["document"], second["action"]) == ("apps.yaml, document 2", "create")
    assert second["app"]["displayName"] == "shop"
    assert "error" not in second


def test_an_api_that_goes_away(api: FakeApi, doorward_cli: Doorward, file: Path) -> None:
    """When no call can go well any more the rest is not tried, and that is said."""
    api.fail("CreateApp", grpc.StatusCode.UNAVAILABLE, "away", reason="ERROR_REASON_UNAVAILABLE", times=5)
    ended = applied(doorward_cli)
    assert (ended.code, api.state.apps) == (7, {})
    assert ended.err.splitlines()[-1] == "error: stopped: 1 of 2 were left out"


def test_several_files(doorward_cli: Doorward, file: Path, tmp_path: Path) -> None:
    """Several files are one plan; a fault in one of them stops all, and a file is not read twice."""
    (tmp_path / "more.yaml").write_text(SHOP.replace("shop", "more"), encoding="utf-8")
    ended = applied(doorward_cli, "-f", "more.yaml")
    assert ended.out.splitlines()[-1] == "3 of 3 changes made, 0 as declared"
    (tmp_path / "more.yaml").write_text("colour: red", encoding="utf-8")
    assert applied(doorward_cli, "-f", "more.yaml").out == ""
    assert "names a file more than once" in applied(doorward_cli, "-f", "apps.yaml").err


def test_nothing_can_move_the_cursor(
    api: FakeApi, doorward_cli: Doorward, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What documents and apps have for names is escaped where it is shown."""
    file.write_text(SHOP.replace("shop", r'"a\e[2J"').replace("displayName: a", "displayName: a"), "utf-8")
    ended = applied(doorward_cli)
    assert r"a\x1b[2J" in ended.out
    assert "\x1b" not in ended.out + ended.err
