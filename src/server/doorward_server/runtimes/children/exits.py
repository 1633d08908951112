"""How a program ended, and noticing it."""

import asyncio
import os
import signal
import subprocess
from dataclasses import dataclass
from typing import Final

from doorward_server.runtimes.children import proc

_POLL_PERIOD: Final = 0.05
"""Seconds between two looks at a child where the kernel cannot tell us."""


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a program ended."""

    code: int
    """Its exit status; the signal's number below zero when a signal killed it."""

    def __str__(self) -> str:
        """Say it in words that fit after a name: `exited with status 3`."""
        if self.code >= 0:
            return f"exited with status {self.code}"
        try:
            return f"was killed by {signal.Signals(-self.code).name}"
        except ValueError:
            return f"was killed by signal {-self.code}"


class ExitWatch:
    """Tells when a child has ended.

    On Linux the child is left a zombie until `reap`: as long as it is one, its number is nobody else's, and
    signals to its group reach that group or nobody. Elsewhere the child is reaped when its end is noticed.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Watch *process*, which nobody else may wait for. Needs a running event loop."""
        self._process = process
        self._ended = asyncio.Event()
        self._pidfd = _open_pidfd(process.pid)
        self._poll: asyncio.Task[None] | None = None
        if self._pidfd is None:
            self._poll = asyncio.create_task(self._look(), name=f"wait for process {process.pid}")
        else:
            asyncio.get_running_loop().add_reader(self._pidfd, self._on_readable)

    @property
    def ended(self) -> bool:
        """Whether the child has ended."""
        return self._ended.is_set()

    async def wait(self) -> None:
        """Return when the child has ended."""
        await self._ended.wait()

    def status(self) -> ExitStatus:
        """How the child ended. Only after it has."""
        if self._process.returncode is None and self._pidfd is not None:
            seen = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
            if seen is not None:
                return ExitStatus(seen.si_status if seen.si_code == os.CLD_EXITED else -seen.si_status)
        return ExitStatus(self._process.wait())

    def reap(self) -> None:
        """Release the child's number. Only after it has ended."""
        self._process.wait()
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None

    def _on_readable(self) -> None:
        if self._pidfd is not None:
            asyncio.get_running_loop().remove_reader(self._pidfd)
        self._ended.set()

    async def _look(self) -> None:
        while self._process.poll() is None:  # noqa: ASYNC110 - the system does not tell
            await asyncio.sleep(_POLL_PERIOD)
        self._ended.set()


def _open_pidfd(pid: int) -> int | None:
    # A zombie would be held without the means to tell it from a group that runs.
    if not (proc.LINUX and hasattr(os, "pidfd_open")):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        # A kernel before 5.3, or a sandbox that does not permit it.
        return None
