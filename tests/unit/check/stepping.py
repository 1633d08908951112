"""What another thread does, done between any two instructions of this one's."""

import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any


def interrupted(
    run: Callable[[], object], meanwhile: Callable[[], object], *, at: int, inside: tuple[ModuleType, ...]
) -> bool:
    """Run something, and *meanwhile* before its instruction number *at* in those modules, from 0.

    Answers whether it came to that instruction. Threads of Python change places between instructions alone,
    so who tries each number has tried every way in which two threads can meet there once.
    """
    files = {module.__file__ for module in inside}
    left = at

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in files:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            left -= 1
            if left == -1:
                meanwhile()
        return trace

    former = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(former)
    return left < 0
