"""The clock of leases."""

import time
from collections.abc import Callable
from functools import partial
from typing import Final

BootClock = Callable[[], float]
"""Answers seconds on a clock that never steps; only differences mean something."""

boottime: Final[BootClock] = partial(
    time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
)
"""Seconds since the machine started, those in which it was suspended included (`CLOCK_BOOTTIME`).

Where the system has no such clock (macOS), its monotonic one: leases then stand still while the machine
sleeps, on both of their ends if these are on one machine.
"""
