"""How much is measured, and how long."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run's extent."""

    rounds: int
    """How often each subject has its turn."""
    seconds: float
    """How long one measurement takes."""
    tokens: int
    """In the policy that Doorward is measured with against others."""
    in_load: int
    """How many of those are used."""
    pairs: int
    """How many of them come through Envoy: as many visitors as there are within a second or so."""
    rate: float
    """Requests a second for latencies."""
    sizes: tuple[int, ...]
    """Tokens of the replicas that are compared by size, smallest first. The largest is started cold, too."""
    deletions: int
    """Tokens that are deleted while requests come."""
    regenerations: int
    """Secrets that are replaced while requests come."""
    update_rate: float
    """Changes of the policy a second."""
    label_changes: int
    """Changes of one app's label, timed one by one."""


FULL: Final = Plan(
    rounds=5,
    seconds=1.5,
    tokens=100_000,
    in_load=20_000,
    pairs=500,
    rate=1000,
    sizes=(1000, 10_000, 100_000, 1_000_000),
    deletions=1000,
    regenerations=200,
    update_rate=1000,
    label_changes=300,
)

QUICK: Final = Plan(
    rounds=2,
    seconds=0.3,
    tokens=1000,
    in_load=100,
    pairs=50,
    rate=200,
    sizes=(200, 1000),
    deletions=10,
    regenerations=3,
    update_rate=200,
    label_changes=20,
)
"""To see that everything works. Its figures mean nothing."""
