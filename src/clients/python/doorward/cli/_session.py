"""What holds for one run of the command line: where the api is, which token, and how answers look."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

import doorward
from doorward._environment import find_connection
from doorward._files import read_token
from doorward._profiles import Profile, read_profiles
from doorward._timeouts import CALL_SECONDS, ENFORCEMENT_SECONDS
from doorward.cli import _colour
from doorward.cli._params import POSITIVE_DURATION

F = TypeVar("F", bound=Callable[..., Any] | click.Command)

FORMATS = ("table", "json", "yaml")


@dataclass(slots=True)
class Session:
    """The options that every command takes, before or after its name."""

    address: str | None = None
    profile: str | None = None
    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    ca_file: Path | None = None
    insecure: bool | None = None
    timeout: timedelta | None = None
    output: str = "table"
    colour: bool | None = None
    """Whether to colour; None: where the stream is a terminal."""

    def client(self) -> doorward.Client:
        """Return a client, to be used in a `with` block."""
        token = self.token
        if self.token_file is not None:
            if token is not None:
                raise click.UsageError("--token and --token-file contradict each other: give one of them")
            token = read_token(self.token_file)
        connection = find_connection(os.environ, address=self.address, token=token, profile=self.profile)
        ca_file = self.ca_file or (None if self.insecure else connection.ca_file)
        return self._client(
            connection.address,
            token=connection.token,
            ca_file=ca_file,
            insecure=bool(self.insecure) or (connection.insecure and ca_file is None),
        )

    def client_of(self, profile: Profile, token: str) -> doorward.Client:
        """Return a client of a profile that need not be kept yet, to be used in a `with` block."""
        return self._client(profile.address, token=token, ca_file=profile.ca_file, insecure=profile.insecure)

    def _client(
        self, address: str, *, token: str | None, ca_file: Path | str | None, insecure: bool
    ) -> doorward.Client:
        return doorward.Client(
            address,
            token=token,
            tls=None if ca_file is None else doorward.TLS(ca_file=ca_file),
            insecure=insecure,
            timeout=self.timeout or CALL_SECONDS,
            enforcement_timeout=self.timeout or ENFORCEMENT_SECONDS,
        )


def _store(ctx: click.Context, param: click.Parameter, value: object) -> None:
    if value is not None and param.name:
        setattr(ctx.ensure_object(Session), param.name, value)


def complete_profiles(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a profile."""
    with suppress(doorward.ConfigurationError):
        return [name for name in read_profiles(os.environ).profiles if name.startswith(incomplete)]
    return []


address_option = click.option(
    "--address",
    metavar="HOST:PORT",
    help="The api's gRPC address; DOORWARD_ADDRESS, or that of the `doorward up` in DOORWARD_HOME or of a "
    "profile, when not given.",
    expose_value=False,
    callback=_store,
)

profile_option = click.option(
    "--profile",
    metavar="NAME",
    help="The profile of a `doorward login`; DOORWARD_PROFILE, or the current one, when not given.",
    expose_value=False,
    callback=_store,
    shell_complete=complete_profiles,
)

_TRANSPORT_OPTIONS = (
    click.option(
        "--token-file",
        type=click.Path(path_type=Path),
        help="A file with the token; DOORWARD_TOKEN, or what is kept for the address, when not given.",
        expose_value=False,
        callback=_store,
    ),
    click.option(
        "--ca-file",
        type=click.Path(path_type=Path),
        help="A PEM file with the authorities that may have signed the api's certificate; DOORWARD_CA_FILE "
        "when not given.",
        expose_value=False,
        callback=_store,
    ),
    click.option(
        "--insecure",
        is_flag=True,
        default=None,
        help="Send the token unencrypted, also to an address that is not on this machine.",
        expose_value=False,
        callback=_store,
    ),
    click.option(
        "--timeout",
        type=POSITIVE_DURATION,
        help="How long a call may take, and --wait; 30s when not given, 60s for calls that take access away, "
        "2m for --wait.",
        expose_value=False,
        callback=_store,
    ),
)


def _store_output(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value == "yaml":
        # Here, not when the answer is printed: a secret that could not be printed would be lost.
        import_module("yaml")
    _store(ctx, param, value)


def _store_colour(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.color = ctx.ensure_object(Session).colour = _colour.wanted(os.environ, value)


def transport_options(command: F) -> F:
    """Add to a command the options that say how the api is called, and with which token."""
    for option in reversed(_TRANSPORT_OPTIONS):
        command = option(command)
    return command


def connection_options(command: F) -> F:
    """Add to a command the options that say where the api is, all but `--token`."""
    return address_option(profile_option(transport_options(command)))


def token_option(command: F) -> F:
    """Add `--token`."""
    option = click.option(
        "--token",
        metavar="SECRET",
        help="The token to use. Other users of this machine can see it: rather set DOORWARD_TOKEN or "
        "--token-file.",
        expose_value=False,
        callback=_store,
    )
    return option(command)


def output_option(*parts: str) -> Callable[[F], F]:
    """Return what adds `-o` and `--color` to a command.

    *parts* are single things of its answer that it can print; what has an id has a name, too.
    """
    parts = ("name", *parts) if "id" in parts else parts
    alone = f"; {' or '.join(parts)} for that alone" if parts else ""
    output = click.option(
        "-o",
        "--output",
        type=click.Choice((*FORMATS, *parts)),
        help=f"How answers look: table (the default) for people, json and yaml for programs{alone}.",
        expose_value=False,
        callback=_store_output,
    )
    colour = click.option(
        "--color",
        type=click.Choice(_colour.CHOICES),
        help="Whether to colour; auto (the default) colours on a terminal, unless NO_COLOR is set.",
        expose_value=False,
        callback=_store_colour,
    )

    def add(command: F) -> F:
        return output(colour(command))

    return add


def session_options(*parts: str) -> Callable[[F], F]:
    """Return what adds all of them to a command."""

    def add(command: F) -> F:
        return output_option(*parts)(token_option(connection_options(command)))

    return add


pass_session = click.make_pass_decorator(Session)
