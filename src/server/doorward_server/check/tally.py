"""What the decisions of this process come to: how many for each reason, and how long they took."""

from bisect import bisect_left
from time import perf_counter
from typing import Final

from doorward_server.check.transports import Handler
from doorward_server.domain.decision import Reason
from doorward_server.services.distribution import Distribution

_BOUNDS: Final = (
    *(0.000_002, 0.000_003, 0.000_005, 0.000_01, 0.000_02, 0.000_03, 0.000_05),
    *(0.000_1, 0.000_2, 0.000_5, 0.001, 0.0025, 0.01, 0.05),
)
"""A request that is recognised takes a few microseconds, another some tens; what is slower is a pause."""


class CheckTally:
    """Plain numbers, which the thread that decides writes and any other reads.

    There is no lock and no object of a metrics library in it: a decision has no time for either.
    """

    __slots__ = ("decided", "durations", "failed", "unreadable")

    def __init__(self) -> None:
        self.decided = [0] * len(Reason)
        """How many decisions each reason had, by `Reason.index`."""
        self.unreadable = 0
        """How many requests could not be read, and were denied for it."""
        self.failed = 0
        """How many times the handler failed, which Envoy takes for a denial."""
        self.durations = Distribution(_BOUNDS)
        """How long the handler took; only where `timed` is used."""

    def timed(self, handler: Handler) -> Handler:
        """*handler*, with its durations counted."""
        durations = self.durations
        bounds, counts = durations.bounds, durations.counts

        def answer(payload: bytes) -> bytes:
            began = perf_counter()
            try:
                response = handler(payload)
            except BaseException:
                self.failed += 1
                raise
            # `Distribution.observe`, without the call.
            took = perf_counter() - began
            counts[bisect_left(bounds, took)] += 1
            durations.total += took
            return response

        return answer
