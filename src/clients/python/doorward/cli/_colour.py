"""Colour: on terminals alone, and not for those who do not want it."""

from collections.abc import Mapping

import click

CHOICES = ("auto", "always", "never")

_STATES = {
    "RUNNING": "green",
    "CURRENT": "green",
    "FAILED": "red",
    "ERROR": "red",
    "LAGGING": "red",
    "DISCONNECTED": "red",
    "STOPPED": "bright_black",
    "EXPIRED": "red",
}
"""The colours of states, and of an expiry that is over."""

_ON_THEIR_WAY = frozenset({"QUEUED", "INITIALIZING", "SCALING", "STOPPING", "DELETING", "BEHIND"})
_COLOURED = frozenset({"STATE", "EXPIRES"})


def wanted(environ: Mapping[str, str], choice: str = "auto") -> bool | None:
    """Return whether to colour: None leaves it to each stream, which has colour when it is a terminal.

    `NO_COLOR` is https://no-color.org: any value but an empty one.
    """
    if choice != "auto":
        return choice == "always"
    return False if environ.get("NO_COLOR") or environ.get("TERM") == "dumb" else None


def heading(text: str) -> str:
    """Return a heading of a table, or the name of a field."""
    return click.style(text, bold=True)


def cell(text: str, under: str) -> str:
    """Return what stands under a heading; what is escaped has to be so already."""
    if under not in _COLOURED:
        return text
    word = text.partition(":")[0].upper()
    colour = "yellow" if word in _ON_THEIR_WAY else _STATES.get(word)
    return click.style(text, fg=colour) if colour else text


def error(text: str) -> str:
    """Return the word that begins an error."""
    return click.style(text, fg="red", bold=True)


def warning(text: str) -> str:
    """Return the word that begins a warning."""
    return click.style(text, fg="yellow", bold=True)


def added(text: str) -> str:
    """Return what a change adds."""
    return click.style(text, fg="green")


def removed(text: str) -> str:
    """Return what a change takes away."""
    return click.style(text, fg="red")
