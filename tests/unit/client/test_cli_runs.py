"""How a run of the command line begins and ends: options, errors, exit codes, other packages' commands."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import click
import grpc
import pytest

import doorward
from doorward.cli._exit_codes import exit_code
from doorward.cli._group import ENTRY_POINTS
from doorward.cli._main import doorward_command
from doorward.v1.app_pb2 import App
from tests.support.certificates import self_signed
from tests.unit.client.cli import Doorward, doorward_in
from tests.unit.client.fake_api import REQUEST_ID, FakeApi, mint
from tests.unit.client.test_errors import CODES

EXIT_CODES = {
    doorward.Unauthenticated: 3,
    doorward.PermissionDenied: 4,
    doorward.NotFound: 5,
    doorward.InvalidArgument: 2,
    doorward.Conflict: 6,
    doorward.FailedPrecondition: 6,
    doorward.AppGaveUp: 8,
    doorward.SecretLost: 1,
    doorward.ResourceExhausted: 7,
    doorward.Unavailable: 7,
    doorward.DeadlineExceeded: 7,
    doorward.Cancelled: 1,
    doorward.Unimplemented: 1,
    doorward.Internal: 1,
}


def kinds(kind: type[doorward.DoorwardError]) -> Iterator[type[doorward.DoorwardError]]:
    """Yield all kinds of an error."""
    for child in kind.__subclasses__():
        yield child
        yield from kinds(child)


def test_every_error_has_its_exit_code() -> None:
    """The exit codes that scripts rely on are those of the documentation, and no error lacks one."""
    assert {kind: exit_code(kind.__new__(kind)) for kind in kinds(doorward.DoorwardError)} == EXIT_CODES
    assert exit_code(doorward.ConfigurationError()) == 2


@pytest.mark.parametrize("reason", CODES)
def test_every_reason(api: FakeApi, doorward_cli: Doorward, reason: str) -> None:
    """Whatever the server answers is one line on standard error and the exit code of its kind."""
    code, kind = CODES[reason]
    # Five times: an unavailable api is asked again.
    api.fail("WhoAmI", code, "in so many words", reason=f"ERROR_REASON_{reason}", times=5)
    ended = doorward_cli("whoami")
    assert (ended.code, ended.out) == (EXIT_CODES[kind], "")
    assert ended.err.startswith("error: in so many words")
    assert ended.err.count("\n") == 1


def test_a_line_for_each_field(api: FakeApi, doorward_cli: Doorward) -> None:
    """Each field that breaks a rule has a line with its name and the rule."""
    violations = {"app.labels": 'key "a b": not a name', "app.display_name": "empty"}
    api.fail(
        "CreateApp",
        grpc.StatusCode.INVALID_ARGUMENT,
        reason="ERROR_REASON_INVALID_FIELD",
        violations=violations,
    )
    ended = doorward_cli("apps", "create", "", "--region", "GRA", "--external", "a:1", "--label", "a b=c")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        'error: app.labels: key "a b": not a name',
        "error: app.display_name: empty",
    ]


def test_what_to_do_without_a_token(api: FakeApi, doorward_cli: Doorward) -> None:
    """Who has given no token is told how to give one."""
    reason = "ERROR_REASON_CREDENTIAL_MISSING"
    api.fail("WhoAmI", grpc.StatusCode.UNAUTHENTICATED, "the call carries no credential", reason=reason)
    assert doorward_cli("whoami").err == (
        "error: the call carries no credential: doorward login, or set DOORWARD_TOKEN, or give --token-file\n"
    )


def test_what_to_report_of_a_defect(api: FakeApi, doorward_cli: Doorward) -> None:
    """A defect of the server comes with the id that its log has."""
    api.fail("WhoAmI", grpc.StatusCode.INTERNAL, "internal error", reason="ERROR_REASON_INTERNAL")
    assert doorward_cli("whoami").err == f"error: internal error (request {REQUEST_ID})\n"


def test_an_api_that_is_not_there(api: FakeApi, doorward_cli: Doorward) -> None:
    """An api that cannot be reached is named."""
    api.stop()
    ended = doorward_cli("whoami", "--timeout", "2s")
    assert (ended.code, ended.out) == (7, "")
    assert ended.err.startswith(f"error: the api at {api.address} cannot be reached: ")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["apps", "get"], "error: Missing argument 'APP_ID... | -'. (see doorward apps get --help)"),
        (["apps", "gte"], "error: No such command 'gte'."),
        (["whoami", "--colour"], "error: No such option '--colour'."),
        (["whoami", "--timeout", "5"], "error: Invalid value for '--timeout': '5' is not a duration"),
        (["whoami", "-o", "xml"], "error: Invalid value for '-o' / '--output': 'xml' is not one of"),
        (["whoami", "--address", "http://x"], "error: address 'http://x': expected host:port"),
        (["whoami", "--token", "x", "--token-file", "y"], "error: --token and --token-file contradict"),
        (["whoami", "--ca-file", "nowhere"], "error: CA file nowhere: No such file or directory"),
        (["whoami", "--insecure", "--ca-file", "x"], "error: tls and insecure contradict each other"),
        (["apps", "get", "\udcff"], "error: an argument is not valid UTF-8"),
    ],
)
def test_wrong_usage(doorward_cli: Doorward, arguments: list[str], text: str) -> None:
    """Wrong usage is one line that says what is wrong."""
    ended = doorward_cli(*arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith(text)


def test_options_before_and_after(api: FakeApi, doorward_cli: Doorward) -> None:
    """The options of every command stand before or after its name; the later one counts."""
    assert doorward_cli("-o", "json", "whoami").json()["displayName"] == "me"
    assert doorward_cli("-o", "json", "whoami", "-o", "id").lines() == ["1B2m9cQk0XyZ"]
    doorward_cli("--token", "first", "whoami", "--timeout", "5s")
    doorward_cli("--token", "first", "whoami", "--token", "second")
    carried = [seen.metadata["authorization"] for seen in api.state.seen["WhoAmI"]]
    assert carried[2:] == ["Bearer first", "Bearer second"]
    assert (api.state.seen["WhoAmI"][2].seconds_left or 9) < 6


def test_a_token_file(api: FakeApi, doorward_cli: Doorward, tmp_path: Path) -> None:
    """A token can come from a file, so that no other user sees it."""
    secret = mint("fromthefile1")
    (tmp_path / "token").write_text(secret + "\n", encoding="utf-8")
    doorward_cli("whoami", "--token-file", "token").lines()
    assert api.seen("WhoAmI").metadata["authorization"] == f"Bearer {secret}"


def test_nothing_is_set(capsys: pytest.CaptureFixture[str]) -> None:
    """Without an address the error says what to set."""
    ended = doorward_in(capsys)("whoami")
    assert ended.code == 2
    assert ended.err.startswith("error: no address: set DOORWARD_ADDRESS")


def test_version(doorward_cli: Doorward) -> None:
    """The version is that of the installed package; no api is asked."""
    number = metadata.version("doorward")
    assert doorward_cli("version").lines() == [f"doorward {number}"]
    assert doorward_cli("--version").lines() == [f"doorward {number}"]
    assert doorward_cli("version", "-o", "json").json() == {"version": number}


def test_interrupted(doorward_cli: Doorward, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends a command quietly with 130."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(doorward.Client, "whoami", interrupt)
    ended = doorward_cli("whoami")
    assert (ended.code, ended.out, ended.err.strip()) == (130, "", "")


def test_a_reader_that_goes_away(api: FakeApi, token: str) -> None:
    """A command whose reader has seen enough ends without a word."""
    for number in range(300):  # more than fits into a pipe
        api.state.apps[str(number)] = App(app_id=f"{number:01000}")
    script = 'set -o pipefail; "$0" -m doorward.cli apps list -o json | head -n 1'
    environ = {"DOORWARD_ADDRESS": api.address, "DOORWARD_TOKEN": token, "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(
        ["bash", "-c", script, sys.executable],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout.count("\n"), ended.stderr) == (1, 1, "")


def test_an_error_is_one_line_also_when_grpc_has_its_own(api: FakeApi, token: str, tmp_path: Path) -> None:
    """A connection that fails below the API, here TLS to an api without, is one line and none of gRPC's."""
    (tmp_path / "ca.pem").write_bytes(self_signed("localhost").certificate)
    command = [sys.executable, "-m", "doorward.cli", "whoami", "--ca-file", "ca.pem", "--timeout", "1s"]
    environ = {"DOORWARD_ADDRESS": api.address, "DOORWARD_TOKEN": token, "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (7, "", 1)
    assert ended.stderr.startswith(f"error: the api at {api.address} cannot be reached: ")


@pytest.mark.parametrize("path", [(), ("apps",), ("tokens",)])
def test_a_group_alone(doorward_cli: Doorward, path: tuple[str, ...]) -> None:
    """A group without a command shows its commands, as wrong usage."""
    ended = doorward_cli(*path)
    assert ended.code == 2
    assert "Commands:" in ended.err


class Distribution(metadata.Distribution):
    """A package that brings commands."""

    def __init__(self, target: str) -> None:
        self.target = target

    def read_text(self, filename: str) -> str | None:
        return {
            "METADATA": "Name: plugin\nVersion: 1\n",
            "entry_points.txt": f"[{ENTRY_POINTS}]\nplugin = {self.target}\n",
        }.get(filename)

    def locate_file(self, path: object) -> Path:
        return Path(str(path))


@click.command()
def greet() -> None:
    """Greet."""
    click.echo("hello")


@click.command()
def refuse() -> int:
    """Refuse."""
    raise click.exceptions.Exit(9)


PLUGIN = (greet, refuse)


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that makes the commands at a target the only ones of other packages."""

    def plug(target: str) -> None:
        found = Distribution(target).entry_points
        monkeypatch.setattr(metadata, "entry_points", lambda group: found.select(group=group))
        monkeypatch.delitem(vars(doorward_command), "_found", raising=False)

    return plug


def test_commands_of_other_packages(doorward_cli: Doorward, plugged: Callable[[str], None]) -> None:
    """Commands that another package brings are listed and run like the client's own."""
    plugged(f"{__name__}:PLUGIN")
    assert "  greet       Greet." in doorward_cli("--help").lines()
    assert doorward_cli("greet").lines() == ["hello"]
    assert doorward_cli("refuse").code == 9


def test_commands_whose_package_is_not_whole(doorward_cli: Doorward, plugged: Callable[[str], None]) -> None:
    """Without the server's extra its commands are absent, and who asks for one is told what to install."""
    plugged("nowhere.to.be.found:COMMANDS")
    assert doorward_cli("whoami").code == 0
    assert "greet" not in doorward_cli("--help").out
    ended = doorward_cli("up")
    assert ended.code == 2
    assert "No such command 'up'." in ended.err
    assert "the commands of 'plugin' need nowhere: pip install 'doorward[server]'" in ended.err
