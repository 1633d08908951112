"""Whatever the documentation shows can be run, and does what its page says."""

import json
import os
import re
import socket
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.docs.blocks import ROOT, Block, blocks, pages
from tests.docs.terminal import Terminal, UnexpectedError, commands
from tests.sdk.support.building import CI_PAGE
from tests.support.postgresql import running_postgres

BIN: Final = Path(sys.executable).parent
SHELL: Final = "sh"
PYTHON: Final = "python"
DATA: Final[dict[str, Callable[[str], object]]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": lambda text: list(yaml.safe_load_all(text)),
}
SHOWN: Final = frozenset({"mermaid", "text", "xml"})
"""What is looked at."""
PROGRAMS: Final = frozenset({"go", "java", "typescript"})
"""What the tests of its own language run, in `tests/sdk`."""

EVERY_BLOCK: Final = [block for page in pages() for block in blocks(page)]
RUN: Final = [
    page
    for page in pages()
    if any(block.language in {SHELL, PYTHON} and not block.not_run for block in blocks(page))
]


@pytest.mark.parametrize("block", EVERY_BLOCK, ids=str)
def test_a_block_has_a_language_that_somebody_looks_at(block: Block) -> None:
    """A block in another language would be checked by nobody."""
    assert block.language in {SHELL, PYTHON, *DATA, *SHOWN, *PROGRAMS}


def test_programs_are_where_the_tests_of_their_languages_look() -> None:
    """One of each on one page: `tests/sdk` runs those, and would not see another."""
    found = {language: [b for b in EVERY_BLOCK if b.language == language] for language in PROGRAMS}
    assert all(len(each) == 1 and each[0].page == CI_PAGE for each in found.values())


@pytest.mark.parametrize("block", [each for each in EVERY_BLOCK if each.language in DATA], ids=str)
def test_data_is_well_formed(block: Block) -> None:
    """JSON, TOML and YAML can be read."""
    DATA[block.language](block.text)


@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_does_what_it_says(page: Path, tmp_path: Path, database: str) -> None:
    """Its commands, typed as they stand and in their order, succeed and print what they should."""
    shown = [block for block in blocks(page) if block.language in {SHELL, PYTHON} and not block.not_run]
    ports = Ports()
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    terminal = Terminal(tmp_path, ports.environment(tmp_path))
    try:
        if not any("doorward up" in block.text for block in shown):
            terminal.type("doorward up")
        for block in shown:
            text = _DATABASE.sub(database, ports.in_place_of_the_usual(block.text))
            try:
                terminal.type(text if block.language == SHELL else f"python3 - <<'EOF'\n{text}EOF\n")
            except UnexpectedError as error:
                raise AssertionError(f"{block}: {error}") from None
    finally:
        terminal.close()


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URL of an empty PostgreSQL database, in place of the one that a page names."""
    with running_postgres() as server:
        server.execute("CREATE DATABASE documented")
        yield server.url("documented")


_DATABASE: Final = re.compile(r"postgresql://[^\s\"]+")


class Ports:
    """Free ports for a page's Envoy and api."""

    def __init__(self) -> None:
        with socket.socket() as one, socket.socket() as two:
            for each in (one, two):
                each.bind(("127.0.0.1", 0))
            self._envoy, self._api = one.getsockname()[1], two.getsockname()[1]

    def environment(self, folder: Path) -> dict[str, str]:
        """The variables of whoever reads the page."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
        return {
            **inherited,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "NO_PROXY": "*",
            "DOORWARD_ENVOY_PORT": str(self._envoy),
            "DOORWARD_API_PORT": str(self._api),
        }

    def in_place_of_the_usual(self, text: str) -> str:
        """The text with these ports where it has the default ones."""
        return text.replace(":8080", f":{self._envoy}").replace(":8081", f":{self._api}")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal without a server."""
    opened = Terminal(tmp_path, os.environ)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("false", "ended with 1"),
        ("echo HTTP/1.1 200 OK   # 401: no token", "not answered with 401"),
        ("echo no   # prints yes", "did not print 'yes'"),
        ("exit 0", "ended the shell"),
    ],
)
def test_a_command_that_does_something_else_is_found(terminal: Terminal, command: str, why: str) -> None:
    """The pages' tests can fail."""
    with pytest.raises(UnexpectedError, match=why):
        terminal.type(command)


def test_commands_are_found_whole() -> None:
    """Lines that go on, and documents that stand among them, belong to their command."""
    text = "# first\na=1\n\necho \\\n  $a\ncat <<'EOF'\nb\nEOF\nif true; then\n  c\nfi\n"
    assert list(commands(text)) == ["a=1", "echo \\\n  $a", "cat <<'EOF'\nb\nEOF", "if true; then\n  c\nfi"]


def test_what_is_not_run_has_a_reason() -> None:
    """A page's own word, in the line before."""
    reasons = [block.not_run for block in EVERY_BLOCK if block.not_run is not None]
    assert all(len(reason) > 10 for reason in reasons)
