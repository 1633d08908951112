"""What holds for every test."""

import ast
import gc
import sys
import threading
from typing import Any

from hypothesis import settings

# A property says what is right, not how fast: on a busy machine a deadline only makes it flaky.
settings.register_profile("doorward", deadline=None)
settings.load_profile("doorward")

if sys.version_info < (3, 11, 8):
    # Of two pieces of source that are parsed at one time, one fails: "SystemError: AST constructor recursion
    # depth mismatch" (https://github.com/python/cpython/issues/106905). Hypothesis parses whole modules, each
    # traceback parses its lines, and the two meet when a garbage collection comes in between and runs code.
    _parse, _one_at_a_time = ast.parse, threading.RLock()

    def _parse_undisturbed(*arguments: Any, **options: Any) -> Any:
        with _one_at_a_time:
            collects = gc.isenabled()
            gc.disable()
            try:
                return _parse(*arguments, **options)
            finally:
                if collects:
                    gc.enable()

    ast.parse = _parse_undisturbed

_LONGEST_ID = 60


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a long parameter by its argument: it may hold a secret, which is another one in each process."""
    return argname if isinstance(val, str | bytes) and len(val) > _LONGEST_ID else None
