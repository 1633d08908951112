"""A process that ends our children when we cannot: after SIGKILL, a crash, or the out-of-memory killer.

It holds the reading end of a pipe whose writing end is ours alone. When we are gone, however that came about,
it reads the end of the file, and ends the groups that are on its list.

Linux's PR_SET_PDEATHSIG is not used. It reaches the child but not what the child has started, it strikes
when the *thread* that started the child ends, it can only be set between fork and exec, where a process with
threads may run next to nothing, and no other system has it.
"""

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import IO, Final

_PROGRAM: Final = Path(__file__).with_name("warden_main.py")
_EXIT_PATIENCE: Final = 5.0


class Warden:
    """Ends process groups when this process dies. Started with the first group."""

    def __init__(self, *, grace: float) -> None:
        """*grace*: seconds between SIGTERM and SIGKILL for groups that have lost us."""
        self._grace = grace
        self._groups: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self, pgid: int) -> None:
        """Put a group on the list. Raises OSError when no warden can be started."""
        self._groups.add(pgid)
        self._tell(f"+{pgid}\n")

    def release(self, pgid: int) -> None:
        """Take a group that is gone off the list, before its number can be another's."""
        self._groups.discard(pgid)
        if self._process is not None:
            self._tell(f"-{pgid}\n")

    def close(self) -> None:
        """End the warden, and with it whatever is still on its list."""
        process, self._process = self._process, None
        if process is None:
            return
        _pipe_of(process).close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(self._grace + _EXIT_PATIENCE)

    def _tell(self, line: str) -> None:
        if self._process is not None:
            # A pipe that is broken: somebody has killed the warden.
            with contextlib.suppress(BrokenPipeError):
                _pipe_of(self._process).write(line.encode())
                return
            self._bury(self._process)
        self._process = self._started()
        _pipe_of(self._process).write("".join(f"+{pgid}\n" for pgid in self._groups).encode())

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            # Nothing of ours is imported or inherited: it starts in milliseconds and holds no secret.
            [sys.executable, "-I", "-S", str(_PROGRAM), str(self._grace)],
            bufsize=0,
            cwd="/",
            env={},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @staticmethod
    def _bury(process: subprocess.Popen[bytes]) -> None:
        _pipe_of(process).close()
        process.kill()
        process.wait()


def _pipe_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdin is None:
        raise RuntimeError("the warden was started without a pipe")
    return process.stdin
