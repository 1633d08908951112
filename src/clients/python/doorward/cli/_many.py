"""Commands about several apps or tokens: which, and what comes of each."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import click

import doorward
from doorward.cli._exit_codes import FAILED, OK, UNAUTHENTICATED, UNAVAILABLE
from doorward.cli._params import Id
from doorward.cli._report import fail, note, report

T = TypeVar("T")
Answer = TypeVar("Answer")

STANDARD_INPUT = "-"
"""Stands for ids on standard input, one a line."""

_NO_USE = frozenset({UNAUTHENTICATED, UNAVAILABLE})
"""What fails like this would fail for the next one too."""


def is_one(ids: Sequence[str]) -> bool:
    """Return whether a command was given one id, which it answers as one thing and not as a list."""
    return len(ids) == 1 and ids[0] != STANDARD_INPUT


def resolve(ids: Sequence[str], kind: Id) -> list[str]:
    """Return the ids that were given, each once, with those on standard input in the place of `-`."""
    if STANDARD_INPUT not in ids:
        return list(dict.fromkeys(ids))
    if len(ids) > 1:
        raise click.UsageError("- stands for all the ids, on standard input: give no others with it")
    context = click.get_current_context()
    lines = (line.strip() for line in sys.stdin)
    found = list(dict.fromkeys(kind.convert(line, None, context) for line in lines if line))
    if not found:
        note("no ids on standard input: nothing to do")
    return found


class Each:
    """Does one thing after another, and goes on when one fails."""

    def __init__(self, noun: str, *, fields_of: str = "") -> None:
        """*noun*: what the things are, for errors, such as `app`; *fields_of*: see `report`."""
        self._noun = noun
        self._fields_of = fields_of
        self._codes: list[int] = []
        self.failures: dict[str, doorward.DoorwardError] = {}
        """What failed, by id."""

    def answers(self, ids: Iterable[str], call: Callable[[str], Answer]) -> Iterator[tuple[str, Answer]]:
        """Yield each id with the answer of its call; an error is printed. Stops when no call can go well."""
        ids = list(ids)
        for tried, id_ in enumerate(ids, 1):
            try:
                yield id_, call(id_)
            except doorward.DoorwardError as error:
                self.failures[id_] = error
                self._codes.append(
                    report(error, about=f"{self._noun} {id_}".strip(), fields_of=self._fields_of)
                )
                if self._codes[-1] in _NO_USE and tried < len(ids):
                    fail(f"stopped: {len(ids) - tried} of {len(ids)} were left out", FAILED)
                    return

    @property
    def exit_code(self) -> int:
        """That of the failures when they all failed alike, else FAILED."""
        return (self._codes[0] if len(set(self._codes)) == 1 else FAILED) if self._codes else OK
