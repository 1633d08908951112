"""What is measured, a module a subject."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.parts import check, cold_start, envoy, revoke, scale, updates
from benchmarks.plan import Plan
from benchmarks.results import Results

Part = Callable[[Plan, Path, Results], None]
"""Measures as the plan says, in a folder that it may fill, and adds to the results."""

PARTS: Final[dict[str, tuple[Part, ...]]] = {
    "check": (check.measure,),
    "envoy": (envoy.measure,),
    "scale": (scale.measure, cold_start.measure),
    "changes": (updates.measure, revoke.measure),
}
