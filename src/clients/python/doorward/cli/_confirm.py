"""Asking before something is lost."""

import sys

import click

from doorward._errors import one_line
from doorward.cli._exit_codes import CONFLICT, FAILED
from doorward.cli._report import fail, note


def somebody_is_there() -> bool:
    """Return whether a person can be asked: both what is read and what is shown is a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str) -> None:
    """Ask on a terminal, and end the command unless the answer is yes. A program is not asked."""
    if not somebody_is_there():
        return
    if not click.confirm(one_line(question), err=True):
        _nothing_changed()


def counted(count: int, noun: str) -> str:
    """Return how many there are of something."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def confirm_count(count: int, noun: str, *, expect: int | None) -> None:
    """End the command unless exactly *count* things are meant to go.

    A person types the number, so that nobody says yes to more than was read; a program has said beforehand,
    with `--expect`, how many there are.
    """
    if expect is not None:
        if expect != count:
            raise click.exceptions.Exit(
                fail(f"found {counted(count, noun)}, and not {expect}: nothing was deleted", CONFLICT)
            )
        return
    if not somebody_is_there():
        raise click.UsageError(
            f"nobody is there to ask: give --expect N, how many {noun}s you expect to delete"
        )
    typed = click.prompt(
        f"Type {count} to delete {counted(count, noun)}", default="", show_default=False, err=True
    )
    if typed.strip() != str(count):
        _nothing_changed()


def _nothing_changed() -> None:
    note("nothing was changed")
    raise click.exceptions.Exit(FAILED)
