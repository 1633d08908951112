"""The arguments and options that name an app, a token or a region; a shell completes them."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from doorward.cli._completion import complete_apps, complete_regions, complete_tokens
from doorward.cli._params import APP_ID, TOKEN_ID

F = TypeVar("F", bound=Callable[..., Any])

APPS_METAVAR = "APP_ID... | -"
TOKENS_METAVAR = "TOKEN_ID... | -"


def app_argument(command: F) -> F:
    """Add the argument of a command about one app."""
    return click.argument("app_id", type=APP_ID, shell_complete=complete_apps)(command)


def apps_argument(*, required: bool = True) -> Callable[[F], F]:
    """Return what adds the argument of a command about one app or several; `-` reads ids."""
    return click.argument(
        "app_ids",
        nargs=-1,
        required=required,
        type=APP_ID,
        metavar=APPS_METAVAR if required else f"[{APPS_METAVAR}]",
        shell_complete=complete_apps,
    )


def token_argument(command: F) -> F:
    """Add the argument of a command about one token."""
    return click.argument("token_id", type=TOKEN_ID, shell_complete=complete_tokens)(command)


def tokens_argument(*, required: bool = True) -> Callable[[F], F]:
    """Return what adds the argument of a command about one token or several; `-` reads ids."""
    return click.argument(
        "token_ids",
        nargs=-1,
        required=required,
        type=TOKEN_ID,
        metavar=TOKENS_METAVAR if required else f"[{TOKENS_METAVAR}]",
        shell_complete=complete_tokens,
    )


def region_option(text: str) -> Callable[[F], F]:
    """Return what adds `--region`, with a help *text*; empty when it is not given."""
    return click.option("--region", default="", help=text, shell_complete=complete_regions)
