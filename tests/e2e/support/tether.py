"""Ties a child to its parent: `python -m tests.e2e.support.tether PARENT PROGRAM ARGUMENT...`.

A test run that is killed leaves no Envoy behind, on Linux: the kernel kills the child when its parent ends.
The setting survives exec, so this program asks for it and then becomes the other one. (`doorward up`, which
must also end what its children started, and on other systems, has a warden instead.)
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
"""From <sys/prctl.h>."""


def tethered(argv: Sequence[str]) -> list[str]:
    """The command line for *argv* as a child of this process that does not outlive it.

    Start it from a thread that lives as long as the process: to Linux the parent is the thread.
    """
    return [sys.executable, "-m", "tests.e2e.support.tether", str(os.getpid()), *argv]


def main(parent: int, argv: list[str]) -> None:
    """Tie this process to *parent*, then become *argv*."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            error = ctypes.get_errno()
            raise OSError(error, f"prctl(PR_SET_PDEATHSIG): {os.strerror(error)}")
        if os.getppid() != parent:
            sys.exit(f"the parent process {parent} has ended")
    os.execv(argv[0], argv)  # noqa: S606 - no shell is meant to be there


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
