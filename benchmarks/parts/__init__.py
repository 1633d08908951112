"""What is measured, a module a subject."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.parts import check
from benchmarks.plan import Plan
from benchmarks.results import Results

Part = Callable[[Plan, Path, Results], None]
"""Measures as the plan says, with an empty folder of its own, and adds to the results."""

PARTS: Final[dict[str, Part]] = {"check": check.measure}
