"""How many calls there were of each method, how they ended, and how long they took."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from doorward_server.rpc.calls import CallState
from doorward_server.services.distribution import Distribution

_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_OTHER: Final = "other"
"""Stands for the methods that are not served, whose names callers make up."""


class CallTally:
    """Counts the calls of one server. For one event loop."""

    def __init__(self, methods: Iterable[str]) -> None:
        """*methods*: those that are served, in full, such as `/doorward.v1.AppService/GetApp`."""
        self._known = frozenset(methods)
        self.ended: Counter[tuple[str, str]] = Counter()
        """How many calls ended, by method and the name of the status code."""
        self.durations: dict[str, Distribution] = {}
        """How long calls took, by method. Streams, which may stay open for long, are not among them."""

    def report(self, state: CallState, code: str, seconds: float) -> None:
        """A call has ended."""
        method = state.method.removeprefix("/") if state.method in self._known else _OTHER
        self.ended[method, code] += 1
        if not state.streaming:
            if method not in self.durations:
                self.durations[method] = Distribution(_BOUNDS)
            self.durations[method].observe(seconds)
