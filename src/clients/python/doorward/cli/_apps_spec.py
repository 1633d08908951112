"""The options that say how an app runs, those of `apps create` and `apps update`."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import click

import doorward
from doorward.cli._params import ENV, POSITIVE_DURATION, unique
from doorward.v1.app_pb2 import AppSpec, Readiness

ONE_SOURCE = "give one of --process -- COMMAND... and --external HOST:PORT"

F = TypeVar("F", bound=Callable[..., object])


def source_options(command: F) -> F:
    """Add the options of where an app runs, for `source`."""
    for option in reversed(
        (
            click.argument("command", nargs=-1, type=click.UNPROCESSED),
            click.option(
                "--process", is_flag=True, help="Run COMMAND, given after --, as a process of the server."
            ),
            click.option("--external", metavar="HOST:PORT", help="A service that runs already."),
            click.option(
                "--env",
                multiple=True,
                type=ENV,
                metavar="NAME=VALUE",
                help="A variable of the process; repeatable.",
            ),
            click.option("--working-dir", default="", help="The folder the process runs in, on the server."),
        )
    ):
        command = option(command)
    return command


def source(
    *,
    process: bool,
    command: tuple[str, ...],
    external: str | None,
    env: tuple[tuple[str, str], ...],
    working_dir: str,
) -> AppSpec | None:
    """Return a spec with the source that the options name; None when they name none."""
    if process and external is not None:
        raise click.UsageError(ONE_SOURCE)
    if process:
        if not command:
            raise click.UsageError("--process needs the command to run after --")
        return doorward.process(command, env=unique(env, "--env"), working_dir=working_dir)
    if command or env or working_dir:
        alone = "COMMAND, --env and --working-dir are for --process alone"
        raise click.UsageError(ONE_SOURCE if external is None else alone)
    return None if external is None else doorward.external(external)


def readiness_options(command: F) -> F:
    """Add the options of how the server finds out that an app is ready, for `readiness`."""
    for option in reversed(
        (
            click.option("--readiness-path", metavar="/PATH", help="What answers 2xx when the app is ready."),
            click.option(
                "--readiness-period", type=POSITIVE_DURATION, help="The time between two probes; 1s."
            ),
            click.option(
                "--readiness-failure-threshold",
                type=click.IntRange(1, 20),
                help="After how many failures in a row the app is not ready; 3.",
            ),
        )
    ):
        command = option(command)
    return command


def readiness(
    *, readiness_path: str | None, readiness_period: timedelta | None, readiness_failure_threshold: int | None
) -> Readiness | None:
    """Return the readiness that the options name, with nothing in the place of what they do not; or None."""
    if (readiness_path, readiness_period, readiness_failure_threshold) == (None, None, None):
        return None
    return doorward.readiness(
        readiness_path or "", period=readiness_period, failure_threshold=readiness_failure_threshold or 0
    )
