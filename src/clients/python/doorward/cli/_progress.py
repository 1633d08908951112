"""What an app that is waited for is doing: a line that moves on a terminal, plain lines elsewhere."""

import os
import shutil
import sys
import threading
import time
from types import TracebackType
from typing import Self

import click

from doorward._conversions import short_name
from doorward._errors import one_line
from doorward.cli import _colour
from doorward.v1.app_pb2 import AppState, AppStatus

_FRAMES = "|/-\\"
_TICK_SECONDS = 0.1
_CLEAR_LINE = "\r\x1b[K"


class Lines:
    """Says each state once, on a line of its own: what a log can hold."""

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._said = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to tidy up."""

    def show(self, status: AppStatus) -> None:
        """Say a status, unless it was just said."""
        text = _described(status)
        if text != self._said:
            self._said = text
            click.echo(f"app {self._app_id}: {text}", err=True)


class MovingLine:
    """One line of a terminal that shows the present status and how long it has been waited for."""

    def __init__(self, app_id: str, *, colour: bool | None) -> None:
        self._app_id = app_id
        self._colour = colour is not False
        self._status = AppStatus()
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._ticker.join()
        self._write("")

    def show(self, status: AppStatus) -> None:
        """Show a status from the next tick on."""
        self._status = status

    def _tick(self) -> None:
        frame = 0
        while not self._ended.wait(_TICK_SECONDS):
            seconds = int(time.monotonic() - self._began)
            text = _described(self._status) if self._status.state else "waiting"
            # Shorter than the terminal is wide: a line that wraps could not be taken back.
            text = f"{text}  {seconds}s  app {self._app_id}"[: shutil.get_terminal_size().columns - 3]
            if self._colour:
                word = text.split(":")[0].split(" ")[0]
                text = _colour.cell(word, "STATE") + text[len(word) :]
            self._write(f"{_FRAMES[frame % len(_FRAMES)]} {text}")
            frame += 1

    def _write(self, text: str) -> None:
        sys.stderr.write(_CLEAR_LINE + text)
        sys.stderr.flush()


def progress(app_id: str, *, colour: bool | None) -> Lines | MovingLine:
    """Return what shows how an app comes along, on standard error; use it in a `with` block."""
    if sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return MovingLine(app_id, colour=colour)
    return Lines(app_id)


def _described(status: AppStatus) -> str:
    state = short_name(AppState, "APP_STATE_", status.state)
    return f"{state}: {one_line(status.message)}" if status.message else state
