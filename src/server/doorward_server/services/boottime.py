"""The clock of leases."""

import time
from collections.abc import Callable

BootClock = Callable[[], float]
"""Answers seconds on a clock that never steps; only differences mean something."""


def boottime() -> float:
    """Seconds since the machine started, those in which it was suspended included (`CLOCK_BOOTTIME`).

    Where the system has no such clock (macOS), its monotonic one: leases then stand still while the machine
    sleeps, on both of their ends if these are on one machine.
    """
    return _read()


if hasattr(time, "CLOCK_BOOTTIME"):

    def _read() -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:  # pragma: no cover - not on Linux
    _read = time.monotonic
