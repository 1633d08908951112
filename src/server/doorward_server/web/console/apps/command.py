"""The command of an app in one line: quotes keep an argument together, and nothing else is special."""

import shlex
from collections.abc import Iterable


class CommandError(Exception):
    """What cannot be split; the text says why."""


def split(line: str) -> list[str]:
    """The arguments; raises `CommandError`."""
    try:
        return shlex.split(line)
    except ValueError:
        raise CommandError("A quotation mark is not closed, or a backslash stands at the end.") from None


def joined(arguments: Iterable[str]) -> str:
    """The line that `split` reads, with no more quotes than that takes: there is no shell."""
    return " ".join(each if _is_plain(each) else shlex.quote(each) for each in arguments)


def _is_plain(argument: str) -> bool:
    try:
        return split(argument) == [argument]
    except CommandError:
        return False
