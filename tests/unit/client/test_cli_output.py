"""Names, ids on standard input, and colour."""

import re
import sys

import pytest

from doorward.v1.app_pb2 import AppState
from tests.unit.client.cli import Doorward
from tests.unit.client.fake_api import FakeApi
from tests.unit.client.terminal import Terminal, at_a_terminal, piped

CREATE = ("apps", "create", "hello", "--region", "GRA", "--external", "a:1", "-q")
TOKEN = ("tokens", "create", "ci", "--role", "read-only", "--region", "GRA", "-l", "a", "-o", "json")
NOBODY = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"


@pytest.fixture
def app_ids(doorward_cli: Doorward) -> list[str]:
    """Three apps."""
    return [doorward_cli(*CREATE).lines()[0] for _ in range(3)]


@pytest.fixture
def token_id(doorward_cli: Doorward) -> str:
    """A token."""
    created: str = doorward_cli(*TOKEN).json()["token"]["tokenId"]
    return created


def test_names(doorward_cli: Doorward, app_ids: list[str], token_id: str) -> None:
    """What `-o name` prints is taken where an id is."""
    names = doorward_cli("apps", "list", "-o", "name").lines()
    assert names == [f"apps/{app_id}" for app_id in app_ids]
    assert doorward_cli("apps", "get", names[1], "-o", "id").lines() == [app_ids[1]]
    (name,) = doorward_cli("tokens", "list", "-o", "name").lines()
    assert name == f"tokens/{token_id}"
    assert doorward_cli("tokens", "get", name, "-o", "name").lines() == [name]
    assert doorward_cli("audit", "list", "--resource", name).code == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("apps", "delete", "tokens/1B2m9cQk0XyZ"), "apps/ID"),
        (("tokens", "delete", f"apps/{NOBODY}"), "tokens/ID"),
        (("audit", "list", "--resource", "users/x"), "apps/ID or tokens/ID"),
    ],
)
def test_a_name_of_another_kind(
    api: FakeApi, doorward_cli: Doorward, arguments: tuple[str, ...], expected: str
) -> None:
    """The name of another kind of thing is refused before anything is sent."""
    ended = doorward_cli(*arguments)
    assert ended.code == 2
    assert f"is neither an id nor {expected}" in ended.err
    assert not any(api.state.seen.values())


def test_several_ids(doorward_cli: Doorward, app_ids: list[str]) -> None:
    """Of several ids a list is shown, each once, in the order they were given in."""
    ended = doorward_cli("apps", "get", app_ids[2], app_ids[0], app_ids[2], "-o", "id")
    assert ended.lines() == [app_ids[2], app_ids[0]]
    assert len(doorward_cli("apps", "get", *app_ids).lines()) == 4
    assert isinstance(doorward_cli("apps", "get", app_ids[0], "-o", "json").json(), dict)


def test_ids_on_standard_input(
    doorward_cli: Doorward, app_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` stands for the ids on standard input, one a line; one of them is a list, too."""
    text = f"apps/{app_ids[0]}\n\n  {app_ids[1]}\n"
    stopped = piped(monkeypatch, doorward_cli, text, "apps", "stop", "-", "-o", "id")
    assert stopped.lines() == app_ids[:2]
    one = piped(monkeypatch, doorward_cli, app_ids[0], "apps", "get", "-", "-o", "json").json()
    assert [each["appId"] for each in one] == app_ids[:1]
    both = piped(monkeypatch, doorward_cli, app_ids[0], "apps", "get", "-", app_ids[1])
    assert (both.code, both.err.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (0, "no ids on standard input: nothing to do")),
        ("tokens/1B2m9cQk0XyZ\n", (2, "is neither an id nor apps/ID")),
    ],
)
def test_what_standard_input_cannot_be(
    api: FakeApi,
    doorward_cli: Doorward,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    expected: tuple[int, str],
) -> None:
    """Nothing on standard input is nothing to do; what is no id of the kind is refused."""
    ended = piped(monkeypatch, doorward_cli, text, "apps", "stop", "-")
    assert ended.code == expected[0]
    assert expected[1] in ended.err
    assert api.state.seen["StopApp"] == []


def test_some_fail(api: FakeApi, doorward_cli: Doorward, app_ids: list[str]) -> None:
    """One that fails has a line with its id, the others go on, and the exit code is that of the failures."""
    ended = doorward_cli("apps", "stop", app_ids[0], NOBODY, app_ids[1], "-o", "id")
    assert (ended.code, ended.out.split()) == (5, app_ids[:2])
    assert ended.err.startswith(f"error: app {NOBODY}: ")
    assert ended.err.count("\n") == 1


def test_all_are_hopeless(api: FakeApi, doorward_cli: Doorward, app_ids: list[str]) -> None:
    """When no call can go well the rest is left out, and that is said."""
    api.stop()
    ended = doorward_cli("apps", "stop", *app_ids, "--timeout", "1s")
    assert (ended.code, ended.out) == (7, "")
    assert "error: stopped: 2 of 3 were left out" in ended.err


ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def coloured(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that has nothing against colour."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return monkeypatch


def test_colour_is_for_terminals(api: FakeApi, doorward_cli: Doorward, coloured: pytest.MonkeyPatch) -> None:
    """A pipe gets no colour unless it is asked for, which moves no column; programs' formats have none."""
    doorward_cli(*CREATE)
    (app,) = api.state.apps.values()
    app.status.state = AppState.APP_STATE_RUNNING
    plain = doorward_cli("apps", "list")
    assert "\x1b" not in plain.out
    bright = doorward_cli("apps", "list", "--color", "always")
    assert "\x1b[32mRUNNING\x1b[0m" in bright.out
    assert ESCAPES.sub("", bright.out) == plain.out
    assert "\x1b" not in doorward_cli("--color", "always", "apps", "get", app.app_id, "-o", "json").out


def test_errors_on_a_terminal(doorward_cli: Doorward, coloured: pytest.MonkeyPatch) -> None:
    """An error is coloured on a terminal, and the terminal of standard error is what counts."""
    arguments = ("apps", "get", NOBODY)
    assert at_a_terminal(coloured, doorward_cli, "", *arguments).err.startswith(
        "\x1b[31m\x1b[1merror:\x1b[0m "
    )
    never = at_a_terminal(coloured, doorward_cli, "", *arguments, "--color", "never")
    assert never.err.startswith("error: ")


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colour(doorward_cli: Doorward, coloured: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """NO_COLOR and a dumb terminal mean no colour, unless an option says otherwise."""
    coloured.setenv(variable, value)
    assert "\x1b" not in at_a_terminal(coloured, doorward_cli, "", "apps", "get", NOBODY).err
    asked = at_a_terminal(coloured, doorward_cli, "", "apps", "get", NOBODY, "--color", "always")
    assert "\x1b" in asked.err


def test_names_cannot_colour(api: FakeApi, doorward_cli: Doorward, coloured: pytest.MonkeyPatch) -> None:
    """On a terminal with colour, too, a name that an app chose is escaped."""
    doorward_cli(*CREATE)
    (app,) = api.state.apps.values()
    app.display_name = "a\x1b[2Jb"
    terminal = Terminal()
    with coloured.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        doorward_cli("apps", "list", "--color", "always")
    assert r"a\x1b[2Jb" in terminal.getvalue()
