"""`--wait`: commands that return when an app is in the state that they bring it to."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import click

import doorward
from doorward.cli._params import POSITIVE_DURATION
from doorward.cli._progress import progress
from doorward.cli._session import Session

F = TypeVar("F", bound=Callable[..., Any])

WAIT = timedelta(minutes=2)
"""How long a command waits for an app by default."""

_LEAST = 0.001


def wait_options(state: str) -> Callable[[F], F]:
    """Return what adds `--wait` and `--wait-timeout` to a command that brings apps to *state*."""

    def add(command: F) -> F:
        limit = click.option(
            "--wait-timeout",
            type=POSITIVE_DURATION,
            help="Wait no longer; --timeout when that is given, else 2m.",
        )
        wait = click.option(
            "--wait", is_flag=True, help=f"Return when the app is {state}; fail with 8 when it will not be."
        )
        return wait(limit(command))

    return add


class Waiting:
    """Waits for apps, all together no longer than the session's options allow."""

    def __init__(self, session: Session, client: doorward.Client, limit: timedelta | None) -> None:
        self._session = session
        self._client = client
        self._deadline = time.monotonic() + (limit or session.timeout or WAIT).total_seconds()

    def until(self, app_id: str, state: str = "running", *, silent: bool = False) -> doorward.AppStatus:
        """Return the status of an app once it is in *state*, and show on the way what it is doing.

        Raises `doorward.AppGaveUp`, `doorward.DeadlineExceeded`.
        """
        left = max(self._deadline - time.monotonic(), _LEAST)
        if silent:
            return self._client.apps.wait(app_id, state, timeout=left)
        with progress(app_id, colour=self._session.colour) as shown:
            return self._client.apps.wait(app_id, state, timeout=left, on_status=shown.show)
