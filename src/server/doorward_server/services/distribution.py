"""How long things took, in numbers that cost next to nothing to keep."""

from bisect import bisect_left
from collections.abc import Sequence


class Distribution:
    """Counts spans of time by buckets. One thread writes, or those that hold one lock; any reads."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """*bounds*: the upper ends of the buckets in seconds, ascending; one without an end comes last."""
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        """How many fell into each bucket, and into none before it."""
        self.total = 0.0
        """Their sum, in seconds."""

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.counts)
