"""How long a scenario takes, what chance it is given, and how soon all must be well again."""

import os
import random
from dataclasses import dataclass, field

_SECONDS = "CHAOS_SECONDS"
_SEED = "CHAOS_SEED"
_ROUNDS = "CHAOS_ROUNDS"
_STRIDE = "CHAOS_STRIDE"
_HEALTHY_WITHIN = "CHAOS_HEALTHY_WITHIN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """From the environment; the defaults are those of the short form, which shares its machine."""

    seconds: float = field(default_factory=lambda: float(os.environ.get(_SECONDS, "1")))
    """How long each stage of a scenario lasts."""
    rounds: int = field(default_factory=lambda: int(os.environ.get(_ROUNDS, "1")))
    """How many faults are drawn by lot."""
    stride: int = field(default_factory=lambda: int(os.environ.get(_STRIDE, "4")))
    """Of how many statements one is tried on PostgreSQL; on SQLite it is each."""
    seed: int = field(default_factory=lambda: int(os.environ.get(_SEED) or random.randrange(2**32)))  # noqa: S311
    """What every choice follows from."""
    healthy_within: float = field(default_factory=lambda: float(os.environ.get(_HEALTHY_WITHIN, "8")))
    """Seconds from the end of a fault. The promise is 5, and `make chaos`, which runs alone, demands it.

    The short form shares its machine with the other tests. What takes longest is to start api again, which is
    work of the processor: with four times as many programs as processors it was seen to take 6 s.
    """

    def __str__(self) -> str:
        """The environment that repeats a run."""
        return (
            f"{_SEED}={self.seed} {_SECONDS}={self.seconds:g} {_ROUNDS}={self.rounds}"
            f" {_STRIDE}={self.stride} {_HEALTHY_WITHIN}={self.healthy_within:g}"
        )
