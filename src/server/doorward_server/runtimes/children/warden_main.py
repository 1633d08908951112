"""The warden's program: see `warden`. Run by itself, with the standard library alone.

Reads lines from its input, `+<group>` and `-<group>`. At the end of the input it ends the groups on its list:
SIGTERM, and SIGKILL after as many seconds as its only argument says.
"""

import contextlib
import os
import signal
import sys
import time

_POLL_PERIOD = 0.02


def main() -> None:
    """Wait for the end of the input, then end what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Whoever ends a whole service with these ends us too when it has ended: by the end of the pipe.
        signal.signal(number, signal.SIG_IGN)
    grace = float(sys.argv[1])
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        if not line.endswith(b"\n"):
            # Half a number is another group's number.
            break
        group = int(line[1:])
        if line.startswith(b"+"):
            groups.add(group)
        else:
            groups.discard(group)
    end(groups, grace)


def end(groups: set[int], grace: float) -> None:
    """End all of *groups*."""
    deadline = time.monotonic() + grace
    left = {group for group in groups if sent(group, signal.SIGTERM)}
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_PERIOD)
        left = {group for group in left if sent(group, 0)}
    for group in left:
        sent(group, signal.SIGKILL)


def sent(group: int, number: int) -> bool:
    """Send a signal to a group; false when there is no such group any more."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    main()
