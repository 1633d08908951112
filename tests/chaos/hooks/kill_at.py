"""The process kills itself before one of its next statements or right after one of its next commits.

The switch holds the number of the step at which it is to happen, counted from when the switch was seen; it
is taken away first, so that the next process lives.
"""

import os
import signal
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

from tests.chaos.hooks.switches import own_switch

SWITCH = "kill-at"

_file = own_switch(SWITCH)
_left: int | None = None


def step() -> None:
    """Count a step."""
    global _left  # noqa: PLW0603 - one process, one countdown
    if _left is None and _file.exists():
        _left = int(_file.read_text())
        _file.unlink()
    if _left is not None:
        _left -= 1
        if _left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


@event.listens_for(Engine, "before_cursor_execute")
def _before_statement(*_: object) -> None:
    step()


_commit: Any = DefaultDialect.do_commit


def _do_commit(self: DefaultDialect, connection: Any) -> None:
    step()
    _commit(self, connection)
    step()


DefaultDialect.do_commit = _do_commit  # type: ignore[method-assign]
