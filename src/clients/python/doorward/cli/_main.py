"""The commands together, and how a run of them ends."""

import io
import sys
from collections.abc import Sequence
from importlib import metadata

import click

import doorward
from doorward._errors import one_line
from doorward.cli._apps import apps
from doorward.cli._audit import audit
from doorward.cli._exit_codes import FAILED, INTERRUPTED, OK, USAGE, exit_code
from doorward.cli._fields import token_fields
from doorward.cli._group import Commands
from doorward.cli._output import print_data, print_item
from doorward.cli._session import Session, output_option, pass_session, session_options
from doorward.cli._status import status
from doorward.cli._tokens import tokens

_NO_CREDENTIAL = "ERROR_REASON_CREDENTIAL_MISSING"


@click.group(name="doorward", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(metadata.version("doorward"), prog_name="doorward", message="%(prog)s %(version)s")
@session_options()
def doorward_command() -> None:
    """Scoped tokens to AI apps that run behind Envoy.

    Exit codes: 0 done, 1 failed, 2 wrong usage or input, 3 no valid token, 4 not permitted, 5 not found,
    6 conflict, 7 unavailable or too late, 130 interrupted.
    """


@doorward_command.command()
@session_options("id")
@pass_session
def whoami(session: Session) -> None:
    """Show the token that is used, without its secret."""
    with session.client() as client:
        token = client.whoami()
    print_item(token, token_fields(token), session.output)


@doorward_command.command()
@output_option()
@pass_session
def version(session: Session) -> None:
    """Show the version."""
    number = metadata.version("doorward")
    if session.output == "table":
        click.echo(f"doorward {number}")
    else:
        print_data({"version": number}, session.output)


for command in (apps, tokens, audit, status):
    doorward_command.add_command(command)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on *arguments*, those of the process by default, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name from elsewhere must not stop a list on a terminal
            stream.reconfigure(errors="backslashreplace")
    try:
        code = doorward_command.main(
            args=arguments, prog_name="doorward", obj=Session(), standalone_mode=False
        )
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except click.UsageError as error:
        return _fail(_usage(error), USAGE)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except click.Abort:
        return INTERRUPTED
    except UnicodeEncodeError:
        return _fail("an argument is not valid UTF-8", USAGE)
    except doorward.DoorwardError as error:
        return _report(error)
    except doorward.ConfigurationError as error:
        return _fail(str(error), exit_code(error))
    return code if isinstance(code, int) else OK


def _report(error: doorward.DoorwardError) -> int:
    """Print an error of a call: a line for each field that breaks a rule, else one line."""
    if error.field_violations:
        for violation in error.field_violations:
            _fail(f"{violation.field}: {violation.description}", FAILED)
        return exit_code(error)
    text = str(error)
    if error.reason == _NO_CREDENTIAL:
        text += ": set DOORWARD_TOKEN, or give --token-file"
    if isinstance(error, doorward.Internal) and error.request_id:
        text += f" (request {error.request_id})"
    return _fail(text, exit_code(error))


def _usage(error: click.UsageError) -> str:
    """Return the text of a wrong usage, and where the right one stands."""
    text = " ".join(error.format_message().split("\n")).strip()
    return f"{text} (see {error.ctx.command_path} --help)" if error.ctx else text


def _fail(text: str, code: int) -> int:
    click.echo(f"error: {one_line(text)}", err=True)
    return code
