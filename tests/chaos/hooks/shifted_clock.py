"""The wall clock of every process is off by what is set, from one moment to the next.

`CLOCK_BOOTTIME` and the monotonic clock go on as they do when somebody sets a machine's clock.
"""

import time
from datetime import UTC, datetime, timedelta

import doorward_server.services.clock
from tests.chaos.hooks.switches import own_switch

SWITCH = "clock"

_file = own_switch(SWITCH)
_true_time = time.time


def _offset() -> float:
    try:
        return float(_file.read_text() or 0)
    except FileNotFoundError:
        return 0


def _shifted_time() -> float:
    return _true_time() + _offset()


def _shifted_now() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=_offset())


time.time = _shifted_time
doorward_server.services.clock.utc_now = _shifted_now
