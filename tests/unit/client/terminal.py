"""A person in front of the command line: what is typed, and a terminal that shows."""

import io
import sys

import pytest

from tests.unit.client.cli import Doorward, Ended


class Terminal(io.StringIO):
    """Where answers to a person go."""

    def isatty(self) -> bool:
        return True


class Typed(io.TextIOWrapper):
    """What a person types."""

    def __init__(self, text: str) -> None:
        super().__init__(io.BytesIO(text.encode()), encoding="utf-8")

    def isatty(self) -> bool:
        return True


def at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, doorward_cli: Doorward, typed: str, *arguments: str
) -> Ended:
    """Run the command line with a person in front of it, who reads standard error."""
    terminal = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", Typed(typed))
        patch.setattr(sys, "stderr", terminal)
        ended = doorward_cli(*arguments)
    return Ended(code=ended.code, out=ended.out, err=terminal.getvalue())


def piped(monkeypatch: pytest.MonkeyPatch, doorward_cli: Doorward, text: str, *arguments: str) -> Ended:
    """Run the command line with *text* on its standard input, and nobody to ask."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))
        return doorward_cli(*arguments)
