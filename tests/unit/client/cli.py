"""The command line, run in this process against the fake api."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from doorward.cli._main import run


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run of the command line ended."""

    code: int
    out: str
    err: str

    def noting(self, *notes: str) -> "Ended":
        """The same without its notes on standard error, which must be these."""
        assert self.err.splitlines() == list(notes)
        return Ended(code=self.code, out=self.out, err="")

    def lines(self) -> list[str]:
        """The answer, which must have succeeded, without the spaces at the ends of its lines."""
        assert (self.code, self.err) == (0, "")
        return [line.rstrip() for line in self.out.splitlines()]

    def json(self) -> Any:
        """The answer, which must have succeeded, as the program that called gets it."""
        return json.loads("\n".join(self.lines()))

    def fields(self) -> dict[str, str]:
        """The answer, which must have succeeded, as names and values of a table."""
        pairs = (line.split("  ", 1) for line in self.lines() if line and not line.startswith(" "))
        return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}


Doorward = Callable[..., Ended]


def doorward_in(capsys: pytest.CaptureFixture[str]) -> Doorward:
    """Return a function that runs the command line on arguments."""

    def doorward(*arguments: str) -> Ended:
        capsys.readouterr()
        code = run(arguments)
        captured = capsys.readouterr()
        return Ended(code=code, out=captured.out, err=captured.err)

    return doorward
