"""What a shell completes, asked as the shells ask, and by the real ones."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.v1.app_pb2 import App
from doorward.v1.token_pb2 import Token
from tests.unit.client.cli import Doorward
from tests.unit.client.fake_api import FakeApi

FIRST, SECOND = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11", "3fffffff-5d1f-4f3e-9d53-0a1e0f6f2b11"
Complete = Callable[..., list[str]]


@pytest.fixture
def apps(api: FakeApi) -> None:
    """Two apps and a token."""
    api.state.apps[FIRST] = App(app_id=FIRST, display_name="hello", region="GRA")
    api.state.apps[SECOND] = App(app_id=SECOND, display_name="a:b\x1b[2J\nc", region="SBG")
    api.state.tokens["1B2m9cQk0XyZ"] = Token(token_id="1B2m9cQk0XyZ", display_name="ci")  # noqa: S106 - an id


@pytest.fixture
def environ(api: FakeApi, token: str, tmp_path: Path) -> dict[str, str]:
    """An environment with an api, and with profiles."""
    folder = tmp_path / "config" / "doorward"
    folder.mkdir(parents=True)
    text = "".join(f'[profiles.{name}]\naddress = "127.0.0.1:1"\n' for name in ("production", "lab"))
    (folder / "profiles.toml").write_text(text, encoding="utf-8")
    return {
        "DOORWARD_ADDRESS": api.address,
        "DOORWARD_TOKEN": token,
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PATH": "/usr/bin:/bin",
    }


def asked(environ: dict[str, str], shell: str, line: str) -> subprocess.CompletedProcess[str]:
    """Ask as the script of *shell* does about the last word of *line*, which may be empty."""
    words = line.split(" ")
    position = words[-1] if shell == "fish" else str(len(words) - 1)
    variables = {"_DOORWARD_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": position}
    return subprocess.run(
        [sys.executable, "-m", "doorward.cli"],
        env=environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def complete(environ: dict[str, str]) -> Complete:
    """Return a function that answers what bash may complete the last word of a line to."""

    def complete(line: str, **changes: str) -> list[str]:
        done = asked(environ | changes, "bash", line)
        assert (done.returncode, done.stderr) == (0, "")
        return [each.removeprefix("plain,") for each in done.stdout.split()]

    return complete


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("doorward apps get ", [FIRST, SECOND]),
        ("doorward apps get 3f0", [FIRST]),
        ("doorward apps get hel", [FIRST]),
        ("doorward apps get apps/3f0", [f"apps/{FIRST}"]),
        (f"doorward apps stop {FIRST} 3ff", [SECOND]),
        ("doorward apps labels set 3f0", [FIRST]),
        ("doorward tokens delete ", ["1B2m9cQk0XyZ"]),
        ("doorward tokens explain --app 3f0", [FIRST]),
        ("doorward tokens explain --token c", ["1B2m9cQk0XyZ"]),
        ("doorward apps list --region ", ["GRA", "SBG"]),
        ("doorward tokens create ci --region s", ["SBG"]),
        ("doorward --profile ", ["production", "lab"]),
        ("doorward profiles use l", ["lab"]),
        ("doorward tokens create ci --role r", ["read-only"]),
        ("doorward comp", ["completion"]),
        ("doorward completion ", ["bash", "zsh", "fish"]),
        ("doorward apps get nobody", []),
    ],
)
def test_bash(complete: Complete, apps: None, line: str, found: list[str]) -> None:
    """Ids, names, regions and profiles are completed, and commands and options too."""
    assert complete(line) == found


def test_zsh_and_fish(apps: None, environ: dict[str, str]) -> None:
    """These shells show names beside ids; a name cannot move the cursor or fake an entry."""
    zsh = asked(environ, "zsh", "doorward apps get ")
    assert zsh.stdout.splitlines() == ["plain", FIRST, "hello", "plain", SECOND, r"a:b\x1b[2J\nc"]
    fish = asked(environ, "fish", "doorward apps get ")
    # The form is that of click's script, which differs from version to version.
    assert all(shown in fish.stdout for shown in (FIRST, "hello", SECOND, r"a:b\x1b[2J\nc"))
    assert "\x1b" not in fish.stdout
    assert (zsh.stderr, fish.stderr) == ("", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"DOORWARD_ADDRESS": "127.0.0.1:1"},
        {"DOORWARD_ADDRESS": "not an address"},
        {"DOORWARD_TOKEN": "no token"},
        {"DOORWARD_CA_FILE": "/nowhere"},
        {"DOORWARD_ADDRESS": "", "DOORWARD_PROFILE": "nobody"},
    ],
)
def test_nothing_to_say(complete: Complete, apps: None, changes: dict[str, str]) -> None:
    """What is wrong with the connection completes nothing, and says nothing into the line being typed."""
    assert complete("doorward apps get ", **changes) == []


def test_an_api_that_hangs(complete: Complete, api: FakeApi) -> None:
    """An api that does not answer is waited for no longer than a person who has pressed Tab would."""
    api.state.held.add("ListApps")
    assert complete("doorward apps get ") == []
    (seen,) = api.state.seen["ListApps"]
    assert (seen.seconds_left or 99) < 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(doorward_cli: Doorward, shell: str) -> None:
    """Each shell's script calls the command, and is nothing but the script."""
    script = doorward_cli("completion", shell).out
    assert f"_DOORWARD_COMPLETE={shell}_complete" in script
    assert "%(" not in script
    assert doorward_cli("completion", "tcsh").code == 2


def shell(name: str) -> str:
    """Return where a shell is; skips where it is not, and in CI that is a failure."""
    found = shutil.which(name)
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"no {name} on this machine; Debian and Ubuntu have the package {name}")
    assert found is not None, f"no {name} on this machine"
    return found


@pytest.fixture
def typed(environ: dict[str, str], tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs a real shell, with the command in its path, and answers what it prints."""
    program = tmp_path / "bin" / "doorward"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m doorward.cli "$@"\n', encoding="utf-8")
    program.chmod(0o700)

    def typed(*command: str) -> str:
        done = subprocess.run(
            command,
            env=environ | {"PATH": f"{program.parent}:/usr/bin:/bin", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return typed


def test_a_real_bash(apps: None, typed: Callable[..., str]) -> None:
    """In bash the script registers itself, and completes what is asked of it."""
    script = """
        eval "$(doorward completion bash)"
        complete -p doorward
        COMP_WORDS=(doorward apps get hel) COMP_CWORD=3
        _doorward_completion doorward hel get
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    printed = typed(shell("bash"), "--norc", "-c", script)
    assert printed.splitlines() == ["complete -o nosort -F _doorward_completion doorward", FIRST]


def test_a_real_fish(apps: None, typed: Callable[..., str]) -> None:
    """In fish, too, from the folder of its configuration; ids have their names beside them."""
    folder = "$XDG_CONFIG_HOME/fish/completions"
    typed(shell("fish"), "-N", "-c", f"mkdir -p {folder}; doorward completion fish > {folder}/doorward.fish")
    script = 'complete -C "doorward apps get 3f0"; complete -C "doorward comp"'
    id_, command = typed(shell("fish"), "-c", script).splitlines()
    assert id_.split("\t") == [FIRST, "hello"]
    assert command.startswith("completion\t")


def test_a_real_zsh(apps: None, typed: Callable[..., str]) -> None:
    """In zsh, where Tab is pressed in a terminal, the beginning of a name becomes an id."""
    # A text is in two pieces where it is typed, so that it is found where it is printed alone.
    script = """
        zmodload zsh/zpty
        zpty typed zsh -f -i
        zpty -w typed 'autoload -U compinit; compinit -u -D; eval "$(doorward completion zsh)"; print re""ady'
        zpty -r -m typed seen '*ready*'
        zpty -w -n typed $'doorward apps get hel\\t'
        zpty -r -m typed seen "*$1*"
        zpty -d typed
        print completed
    """
    assert typed(shell("zsh"), "-f", "-c", script, "zsh", FIRST) == "completed\n"
