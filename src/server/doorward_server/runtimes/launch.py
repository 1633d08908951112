"""Starting the process of an app."""

import errno
import os
from pathlib import Path
from typing import Final

from doorward_server.domain.apps import AppState, ProcessSource
from doorward_server.runtimes.children.groups import ProcessGroup
from doorward_server.runtimes.children.pipes import OutputPipe
from doorward_server.runtimes.children.warden import Warden
from doorward_server.runtimes.environment import arguments, environment
from doorward_server.runtimes.folders import private_folder
from doorward_server.runtimes.logs.book import LogBook
from doorward_server.services.runtime import LogStream

_SHORTAGES: Final = frozenset({errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC})
"""What the machine lacks now and may have later."""

_DRAIN_PATIENCE: Final = 1.0
"""Seconds to wait for the last output of an app that has ended."""


class LaunchError(Exception):
    """An app cannot be started. The text is fit for everybody who may see the app."""

    def __init__(self, message: str, *, state: AppState, passing: bool = False, detail: str = "") -> None:
        """*passing*: whether another attempt makes sense. *detail*: more, for those who may read the log."""
        super().__init__(message)
        self.state = state
        self.passing = passing
        self.detail = detail


class LaunchedApp:
    """The running process of an app, and what it prints on its way into the log."""

    def __init__(
        self, source: ProcessSource, *, directory: Path, port: int, book: LogBook, warden: Warden
    ) -> None:
        """Start it; raises `LaunchError`. *directory* is for a source that names no folder."""
        self._writers = [book.stream(LogStream.STDOUT), book.stream(LogStream.STDERR)]
        self._pipes: list[OutputPipe] = []
        try:
            folder = _folder(source, directory)
            self._pipes = [OutputPipe(writer.feed) for writer in self._writers]
            self.group = ProcessGroup.spawn(
                arguments(source, port=port),
                env=environment(source, port=port),
                cwd=folder,
                stdout=self._pipes[0].write_end,
                stderr=self._pipes[1].write_end,
                warden=warden,
            )
        except (OSError, ValueError) as error:
            self._close_pipes()
            raise _explained(error, source) from error
        except LaunchError:
            self._close_pipes()
            raise
        for pipe in self._pipes:
            pipe.close_write_end()

    async def end(self, grace: float) -> None:
        """End the whole process group, as `ProcessGroup.end` does, and keep the last of its output."""
        await self.group.end(grace)
        for pipe, writer in zip(self._pipes, self._writers, strict=True):
            await pipe.drained(_DRAIN_PATIENCE)
            writer.flush()

    def _close_pipes(self) -> None:
        for pipe in self._pipes:
            pipe.close()


def folder_fault(path: str) -> str | None:
    """Why no app can run in the folder *path*; None when one can."""
    if not Path(path).is_absolute():
        return "must be an absolute path"
    if not Path(path).is_dir():
        return "must be a folder that exists on the server"
    if not os.access(path, os.X_OK):
        return "must be a folder that the server may enter"
    return None


def _folder(source: ProcessSource, directory: Path) -> Path:
    if source.working_dir is not None:
        fault = folder_fault(source.working_dir)
        if fault is not None:
            raise LaunchError(f"working_dir {fault}", state=AppState.FAILED)
        return Path(source.working_dir)
    folder = directory / "work"
    try:
        private_folder(folder)
    except OSError as error:
        raise LaunchError(
            f"the app's folder cannot be made: {error.strerror}",
            state=AppState.ERROR,
            passing=error.errno in _SHORTAGES,
        ) from error
    return folder


def _explained(error: OSError | ValueError, source: ProcessSource) -> LaunchError:
    # The state's message is for everybody who sees the app; the command is for who may read its spec or log.
    program = f"the program is {source.command[0]!r}"
    if isinstance(error, ValueError):
        text = "the command cannot be run: an argument or environment variable is one that no program can get"
        return LaunchError(text, state=AppState.FAILED, detail=program)
    if error.errno in _SHORTAGES:
        text = f"the server is short of resources: {error.strerror}"
        return LaunchError(text, state=AppState.ERROR, passing=True)
    reason = {
        errno.ENOENT: "there is no such program",
        errno.EACCES: "its program is not one that the server may execute",
        errno.ENOEXEC: "its program is in a format that this machine cannot execute",
        errno.E2BIG: "its arguments and environment are too long",
    }.get(error.errno or 0, error.strerror or "the system refuses")
    return LaunchError(f"the command cannot be run: {reason}", state=AppState.FAILED, detail=program)
