"""Turning what can go wrong at a start into one line for the person who started it."""

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click

from doorward_server.gateway.config import GatewayError
from doorward_server.home import HomeError
from doorward_server.metrics.listening import MetricsListenError
from doorward_server.platform_key import PlatformKeyError
from doorward_server.rpc.listening import ListenError
from doorward_server.services.ports import StorageSettingError, StorageUnavailableError
from doorward_server.services.setup import AdminTokenFileError
from doorward_server.settings import SettingsError
from doorward_server.web.listening import WebListenError

P = ParamSpec("P")
R = TypeVar("R")

_FAULTS = (
    AdminTokenFileError,
    GatewayError,
    HomeError,
    ListenError,
    MetricsListenError,
    PlatformKeyError,
    StorageUnavailableError,
    WebListenError,
)
_WRONG_INPUT = (SettingsError, StorageSettingError)


def reports_faults(command: Callable[P, R]) -> Callable[P, R]:
    """Have *command* end with one line on standard error for a fault with a known cause.

    The status is 2 for settings that cannot be, as it is for wrong usage, and 1 for what the machine refuses.
    """

    @functools.wraps(command)
    def reporting(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (*_FAULTS, *_WRONG_INPUT) as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(2 if isinstance(error, _WRONG_INPUT) else 1)

    return reporting
