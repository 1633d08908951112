"""Process groups: a program together with all that it starts."""

import asyncio
import logging
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from doorward_server.runtimes.children.exits import ExitStatus, ExitWatch
from doorward_server.runtimes.children.proc import group_has_members
from doorward_server.runtimes.children.warden import Warden

_log = logging.getLogger(__name__)

_POLL_PERIOD: Final = 0.02
"""Seconds between two looks at a group whose leader has ended."""

_KILL_PATIENCE: Final = 5.0
"""Seconds that SIGKILL may take: a process in an uninterruptible sleep dies when that ends."""


class ProcessGroup:
    """A running program, which leads a session and process group of its own.

    So a terminal's Ctrl-C does not reach it, and what it starts can be ended with it. Whoever makes one
    ends it with `end`, also when the program has ended by itself: what it started may still run.
    """

    def __init__(self, process: subprocess.Popen[bytes], warden: Warden) -> None:
        self._process = process
        self._warden = warden
        self._exit = ExitWatch(process)

    @classmethod
    def spawn(
        cls,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        stdout: int,
        stderr: int,
        warden: Warden,
    ) -> "ProcessGroup":
        """Start a program, which gets *env* alone, no input, and no file of ours but the two descriptors.

        Raises OSError when the system cannot, and ValueError for text that no program can be given.
        """
        process = subprocess.Popen(
            list(argv),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        try:
            # At once, with nothing awaited in between: from here on it ends with us whatever happens.
            warden.watch(process.pid)
        except OSError:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        return cls(process, warden)

    @property
    def pid(self) -> int:
        """The leader's number, and the group's."""
        return self._process.pid

    async def exited(self) -> ExitStatus:
        """Return when the leader has ended. Others of its group may still run."""
        await self._exit.wait()
        return self._exit.status()

    def kill(self) -> None:
        """Send SIGKILL to the whole group; `end` is still to be awaited."""
        self._signal(signal.SIGKILL)

    async def end(self, grace: float) -> ExitStatus:
        """SIGTERM to the group, SIGKILL after *grace* seconds; returns when all of it is gone."""
        self._signal(signal.SIGTERM)
        if not await self._gone_within(grace):
            self._signal(signal.SIGKILL)
            if not await self._gone_within(_KILL_PATIENCE):
                _log.error("process group %d does not die of SIGKILL", self.pid)
        if not self._exit.ended:
            # Stuck in the kernel: it cannot be reaped, and stays on the warden's list.
            return ExitStatus(-signal.SIGKILL)
        status = self._exit.status()
        self._exit.reap()
        self._warden.release(self.pid)
        return status

    async def _gone_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._exit.wait()
                # Nobody tells when a group is empty.
                while await asyncio.to_thread(group_has_members, self.pid):  # noqa: ASYNC110
                    await asyncio.sleep(_POLL_PERIOD)
        except TimeoutError:
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass
        except PermissionError as error:
            _log.warning("process group %d: %s: %s", self.pid, number.name, error.strerror)
