"""What the use cases ask of a runtime: how an app runs. `doorward_server.runtimes` implements it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from doorward_server.domain.apps import AppState, Readiness, Source
from doorward_server.domain.ids import AppId
from doorward_server.domain.policy import Address


class RuntimeDisabledError(Exception):
    """This server is not set to run apps with that kind of source."""

    def __init__(self, source: str) -> None:
        super().__init__(f"this server is not set to run apps with a {source} source")
        self.source = source


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a runtime has seen of an app."""

    state: AppState
    message: str = ""
    """Why, for people. Never holds a secret."""
    address: Address | None = None
    """Where the app listens, while it serves."""


Sink = Callable[[AppId, Observation], Awaitable[None]]
"""Where a runtime reports what it sees."""


class LogStream(Enum):
    """Where a line was printed."""

    STDOUT = "stdout"
    STDERR = "stderr"
    PLATFORM = "platform"
    """A note of the platform about the app, such as a restart."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that an app has printed, without its end."""

    time: datetime
    stream: LogStream
    text: str


class Runtime(Protocol):
    """Runs apps. One at a time of `start`, `stop` and `forget` is called for an app."""

    def check(self, source: Source) -> None:
        """Raise `RuntimeDisabledError`, or `InvalidFieldsError` for what this machine cannot run."""
        ...

    async def start(self, app_id: AppId, source: Source, readiness: Readiness) -> None:
        """Have the app running; returns at once, reports through the sink. Does nothing to one that runs.

        An external app that is ready is reported as RUNNING first, without INITIALIZING before it.
        """
        ...

    async def stop(self, app_id: AppId) -> None:
        """Return when the app has stopped; nothing is reported of it any more. An unknown id is fine."""
        ...

    def logs(self, app_id: AppId, *, tail: int | None, follow: bool) -> AsyncGenerator[LogLine, None]:
        """The last *tail* lines (None: all that are kept), then new ones until the app is forgotten."""
        ...

    async def forget(self, app_id: AppId) -> None:
        """Remove what is kept of an app that has stopped: its logs and files."""
        ...

    async def close(self) -> None:
        """Stop all apps."""
        ...
