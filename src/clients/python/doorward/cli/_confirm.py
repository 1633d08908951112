"""Asking before something is lost."""

import sys

import click

from doorward._errors import one_line
from doorward.cli._exit_codes import FAILED


def confirm(question: str) -> None:
    """Ask on a terminal, and end the command unless the answer is yes. A program is not asked."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    if not click.confirm(one_line(question), err=True):
        click.echo("nothing was changed", err=True)
        raise click.exceptions.Exit(FAILED)
