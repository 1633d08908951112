"""Errors as people read them: each one line on standard error that begins with `error:`."""

import click

import doorward
from doorward._errors import one_line
from doorward.cli import _colour
from doorward.cli._exit_codes import FAILED, exit_code

_NO_CREDENTIAL = "ERROR_REASON_CREDENTIAL_MISSING"


def report(
    error: doorward.DoorwardError, *, about: str = "", fields_of: str = "", colour: bool | None = None
) -> int:
    """Print an error of a call, a line for each field that breaks a rule, and return its exit code.

    *about*: what the call was about, when the command makes several. *fields_of*: where the fields of a
    request begin that whoever reads this has named, such as `app.`: it is left out.
    """
    prefix = f"{about}: " if about else ""
    if error.field_violations:
        for violation in error.field_violations:
            field = violation.field.removeprefix(fields_of)
            fail(f"{prefix}{field}: {violation.description}", FAILED, colour=colour)
        return exit_code(error)
    text = str(error)
    if error.reason == _NO_CREDENTIAL:
        text += ": doorward login, or set DOORWARD_TOKEN, or give --token-file"
    if isinstance(error, doorward.Internal) and error.request_id:
        text += f" (request {error.request_id})"
    return fail(prefix + text, exit_code(error), colour=colour)


def fail(text: str, code: int, *, colour: bool | None = None) -> int:
    """Print an error and return its exit code."""
    click.echo(f"{_colour.error('error:')} {one_line(text)}", err=True, color=colour)
    return code


def note(text: str) -> None:
    """Print on standard error what is worth knowing, and no failure."""
    click.echo(one_line(text), err=True)


def warn(text: str) -> None:
    """Print a warning."""
    click.echo(f"{_colour.warning('warning:')} {one_line(text)}", err=True)
