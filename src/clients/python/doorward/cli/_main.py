"""The commands together, and how a run of them ends."""

import io
import os
import sys
from collections.abc import Sequence
from importlib import metadata

import click

import doorward
from doorward.cli import _colour
from doorward.cli._apps import apps
from doorward.cli._audit import audit
from doorward.cli._completion_command import completion
from doorward.cli._examples import examples
from doorward.cli._exit_codes import INTERRUPTED, OK, USAGE, exit_code
from doorward.cli._fields import token_fields
from doorward.cli._group import Commands
from doorward.cli._login import login, logout
from doorward.cli._output import print_data, print_item
from doorward.cli._profiles_command import profiles
from doorward.cli._report import fail, report
from doorward.cli._session import Session, output_option, pass_session, session_options
from doorward.cli._status import status
from doorward.cli._tokens import tokens

_HELP = """\
Scoped tokens to AI apps that run behind Envoy.

\b
Which api and token, the first that says something:
  --address, --token-file, --profile    options
  DOORWARD_ADDRESS, DOORWARD_TOKEN, DOORWARD_PROFILE
  the `doorward up` in DOORWARD_HOME    .doorward in this folder by default
  the current profile                   of the last `doorward login`

\b
Also read from the environment:
  DOORWARD_CA_FILE    the authorities that may have signed the api's certificate
  NO_COLOR            no colour, whatever its value
  XDG_CONFIG_HOME     where profiles are, in doorward/profiles.toml; ~/.config by default

\b
Exit codes:
  0 done                      5 not found, or not in the token's scope
  1 failed                    6 conflict
  2 wrong usage or input      7 the api is unavailable, or was too late
  3 no valid token            8 the app that was waited for gave up
  4 not permitted             130 interrupted
"""


@click.group(
    name="doorward",
    cls=Commands,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "doorward up",
        "doorward apps create hello --region GRA --label group=A --wait --process -- python3 hello.py",
        "doorward tokens create ci --role read-only --region GRA --selector group=A --expires-in 90d",
        "doorward apps list -o name | xargs doorward apps get",
    ),
)
@click.version_option(metadata.version("doorward"), prog_name="doorward", message="%(prog)s %(version)s")
@session_options()
def doorward_command() -> None:
    """All the commands."""


@doorward_command.command(epilog=examples("doorward whoami", 'DOORWARD_TOKEN="$TOKEN" doorward whoami -o id'))
@session_options("id")
@pass_session
def whoami(session: Session) -> None:
    """Show the token that is used, without its secret."""
    with session.client() as client:
        token = client.whoami()
    print_item(token, token_fields(token), session.output)


@doorward_command.command(epilog=examples("doorward version", "doorward version -o json"))
@output_option()
@pass_session
def version(session: Session) -> None:
    """Show the version."""
    number = metadata.version("doorward")
    if session.output == "table":
        click.echo(f"doorward {number}")
    else:
        print_data({"version": number}, session.output)


for command in (apps, tokens, audit, status, login, logout, profiles, completion):
    doorward_command.add_command(command)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on *arguments*, those of the process by default, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name from elsewhere must not stop a list on a terminal
            stream.reconfigure(errors="backslashreplace")
    session = Session(colour=_colour.wanted(os.environ))
    try:
        code = doorward_command.main(
            args=arguments, prog_name="doorward", obj=session, color=session.colour, standalone_mode=False
        )
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except click.UsageError as error:
        return fail(_usage(error), USAGE, colour=session.colour)
    except click.ClickException as error:
        return fail(error.format_message(), error.exit_code, colour=session.colour)
    except click.Abort:
        return INTERRUPTED
    except UnicodeEncodeError:
        return fail("an argument is not valid UTF-8", USAGE, colour=session.colour)
    except doorward.DoorwardError as error:
        return report(error, colour=session.colour)
    except doorward.ConfigurationError as error:
        return fail(str(error), exit_code(error), colour=session.colour)
    return code if isinstance(code, int) else OK


def _usage(error: click.UsageError) -> str:
    """Return the text of a wrong usage, and where the right one stands."""
    text = " ".join(error.format_message().split("\n")).strip()
    return f"{text} (see {error.ctx.command_path} --help)" if error.ctx else text
