"""What commands say of themselves, and what the documentation says of them."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile

import click
import pytest

from doorward.cli._exit_codes import INTERRUPTED, OK
from doorward.cli._main import doorward_command
from doorward_server.commands import COMMANDS as SERVER_COMMANDS
from tests.unit.client.cli import Doorward
from tests.unit.client.test_cli_runs import EXIT_CODES
from tools import cli_reference


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Yield all commands with their names, groups and those of the server included."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


COMMANDS = dict(commands(doorward_command))
LEAVES = {name: each for name, each in COMMANDS.items() if not isinstance(each, click.Group)}


def test_there_are_commands() -> None:
    """What the tests below look at is all there is: the client's commands, nested ones, and the server's."""
    assert {"apps apply", "apps labels set", "login", "profiles use", "db upgrade"} <= LEAVES.keys()
    assert {command.name for command in SERVER_COMMANDS} <= COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(doorward_cli: Doorward, name: str) -> None:
    """Every command has a help text, and so has each of its options, and an example."""
    shown = doorward_cli(*name.split(), "--help").out
    assert shown.startswith(f"Usage: doorward {name} ")
    assert COMMANDS[name].help
    options = [param for param in COMMANDS[name].params if isinstance(param, click.Option)]
    assert [option.name for option in options if not option.help] == []
    assert re.search(r"^  Examples?:\n    \S", shown, re.MULTILINE)


def calls(line: str) -> Iterator[list[str]]:
    """Yield the words after each `doorward` of a line of shell, up to the end of that command."""
    lexer = shlex.shlex(line.replace('"$(', "$(").replace(')"', ")"), posix=True, punctuation_chars="();|&<>")
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("();|&<>"):
            if "doorward" in words:
                yield words[words.index("doorward") + 1 :]
            words = []
        else:
            words.append(word)


@pytest.mark.parametrize("name", LEAVES)
def test_every_example_is_of_its_command(name: str) -> None:
    """Each line of the examples calls the command, with options that it has."""
    command = LEAVES[name]
    options = {
        option
        for param in (*command.params, *doorward_command.params)
        for option in (*param.opts, *param.secondary_opts)
    }
    for line in (command.epilog or "").split("\n")[2:]:
        ours = [words for words in calls(line) if " ".join(words).startswith(name)]
        assert ours, line
        for words in ours:
            given = list(takewhile(lambda word: word != "--", words))
            assert [word for word in given if word[:1] == "-" and word not in {"-", *options}] == [], line


@pytest.mark.parametrize(
    "path", [(), ("apps",), ("apps", "labels"), ("tokens",), ("audit",), ("profiles",), ("db",)]
)
def test_lists_of_commands_are_whole(doorward_cli: Doorward, path: tuple[str, ...]) -> None:
    """What a list says of a command, the server's included, is a sentence that is not cut off."""
    lines = doorward_cli(*path, "--help").lines()
    listed = list(takewhile(bool, lines[lines.index("Commands:") + 1 :]))
    assert listed
    assert [line for line in listed if not line.endswith(".") or line.endswith("...")] == []


def test_the_documentation_is_that_of_the_commands() -> None:
    """Every command and option is documented as it is: run `python -m tools.cli_reference` after a change."""
    page = cli_reference.PAGE.read_text(encoding="utf-8")
    assert page == cli_reference.render()
    for name, command in LEAVES.items():
        assert f"\n### doorward {name}\n" in page
        section = page.partition(f"\n### doorward {name}\n")[2].partition("\n### ")[0]
        documented = section + page.partition("### Options of most commands")[2].partition("\n### ")[0]
        options = [
            option for param in command.params if isinstance(param, click.Option) for option in param.opts
        ]
        assert [option for option in options if f"`{option}" not in documented] == []


def test_the_overview_has_every_command_and_exit_code() -> None:
    """What people wrote names every command, and every exit code."""
    written = cli_reference.PAGE.read_text(encoding="utf-8").partition(cli_reference.MARK)[0]
    assert [name for name in LEAVES if not re.search(rf"`doorward {name}[ `]", written)] == []
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", written, re.MULTILINE)}
    assert documented == {OK, INTERRUPTED, *EXIT_CODES.values()}


def test_the_exit_codes_in_the_help(doorward_cli: Doorward) -> None:
    """The help of the whole command line has every exit code."""
    codes = doorward_cli("--help").out.partition("Exit codes:")[2].partition("\n\n")[0]
    assert {int(code) for code in re.findall(r"(?:^|\s)(\d+) [a-z]", codes)} == {
        *(OK, INTERRUPTED),
        *EXIT_CODES.values(),
    }
