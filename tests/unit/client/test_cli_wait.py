"""`--wait`: what is shown on the way, and how long it takes at most."""

import signal
import subprocess
import sys

import pytest

from doorward.v1.app_pb2 import AppState, AppStatus
from tests.unit.client.cli import Doorward
from tests.unit.client.fake_api import FakeApi
from tests.unit.client.terminal import at_a_terminal

CREATE = ("apps", "create", "hello", "--region", "GRA", "--external", "a:1")


def statuses(*states: str) -> list[AppStatus]:
    """Return statuses with these states; a last `nothing` is an app that does not move any more."""
    return [
        AppStatus(state=AppState.Value("APP_STATE_" + state.replace("nothing", "UNSPECIFIED")))
        for state in states
    ]


def test_lines_for_a_log(api: FakeApi, doorward_cli: Doorward) -> None:
    """Where there is no terminal each state is one plain line, said once."""
    api.state.statuses = statuses("QUEUED", "INITIALIZING", "INITIALIZING", "RUNNING")
    api.state.statuses[1].message = "line\x1b[2J"
    api.state.statuses[2].message = "line\x1b[2J"
    ended = doorward_cli(*CREATE, "--wait")
    (app_id,) = api.state.apps
    notes = ("QUEUED", r"INITIALIZING: line\x1b[2J", "RUNNING")
    assert ended.noting(*(f"app {app_id}: {note}" for note in notes)).fields()["STATE"] == "RUNNING"


def test_quiet(api: FakeApi, doorward_cli: Doorward) -> None:
    """With --quiet nothing is said but the id."""
    api.state.statuses = statuses("QUEUED", "RUNNING")
    assert doorward_cli(*CREATE, "--wait", "--quiet").lines() == list(api.state.apps)


def test_a_line_that_moves(api: FakeApi, doorward_cli: Doorward, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal one line shows the state and the time, fits, and is gone at the end."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    api.state.statuses = statuses("INITIALIZING", "nothing")
    api.state.statuses[0].message = "x" * 100
    ended = at_a_terminal(monkeypatch, doorward_cli, "", *CREATE, "--wait", "--timeout", "1s")
    frames = ended.err.split("\r\x1b[K")
    assert len(frames) > 2
    shown = next(frame for frame in frames if "INITIALIZING" in frame)
    assert shown.startswith(("| ", "/ ", "- ", "\\ "))
    assert "\x1b[33mINITIALIZING\x1b[0m: xxx" in shown
    assert len(shown) - len("\x1b[33m\x1b[0m") < 40
    assert "\n" not in "".join(frames[:-1])
    assert "waited long enough" in frames[-1]


def test_no_colour_in_the_line(api: FakeApi, doorward_cli: Doorward, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line moves without colour when there is to be none."""
    monkeypatch.setenv("TERM", "xterm")
    api.state.statuses = statuses("INITIALIZING", "nothing")
    arguments = (*CREATE, "--wait", "--timeout", "1s", "--color", "never")
    assert "\x1b[3" not in at_a_terminal(monkeypatch, doorward_cli, "", *arguments).err


@pytest.mark.parametrize(
    "options", [("--timeout", "1s"), ("--wait-timeout", "1s"), ("--timeout", "9m", "--wait-timeout", "1s")]
)
def test_not_for_ever(api: FakeApi, doorward_cli: Doorward, options: tuple[str, ...]) -> None:
    """--timeout bounds the waiting, and --wait-timeout the waiting alone; both end with 7."""
    api.state.statuses = statuses("INITIALIZING", "nothing")
    ended = doorward_cli(*CREATE, "--wait", *options)
    assert ended.code == 7
    assert "error: waited long enough: app" in ended.err
    assert (api.seen("WatchApp").seconds_left or 99) < 2


@pytest.mark.parametrize("state", ["FAILED", "ERROR", "DELETING"])
def test_an_app_that_gives_up(api: FakeApi, doorward_cli: Doorward, state: str) -> None:
    """An app that will not get there ends the wait with a code of its own."""
    api.state.statuses = statuses("INITIALIZING", state)
    assert doorward_cli(*CREATE, "--wait").code == 8


def test_ctrl_c(api: FakeApi, doorward_cli: Doorward, token: str) -> None:
    """Ctrl-C ends a wait at once and quietly: what has been said is all that is."""
    (app_id,) = doorward_cli(*CREATE, "-q").lines()
    api.state.statuses = statuses("INITIALIZING", "nothing")
    process = subprocess.Popen(
        [sys.executable, "-m", "doorward.cli", "apps", "start", app_id, "--wait"],
        env={"DOORWARD_ADDRESS": api.address, "DOORWARD_TOKEN": token, "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == f"app {app_id}: INITIALIZING\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, "", "")


def test_several(api: FakeApi, doorward_cli: Doorward) -> None:
    """Several apps are all started before the first is waited for."""
    ids = [doorward_cli(*CREATE, "-q").lines()[0] for _ in range(2)]
    api.state.statuses = statuses("RUNNING")
    ended = doorward_cli("apps", "start", *ids, "--wait", "-o", "json")
    shown = ended.noting(*(f"app {app_id}: RUNNING" for app_id in ids)).json()
    assert [app["status"]["state"] for app in shown] == ["APP_STATE_RUNNING"] * 2
    api.state.statuses = statuses("FAILED")
    assert doorward_cli("apps", "start", *ids, "--wait").code == 8
