"""What was measured: figures of single subjects, and ratios between them, each with its spread."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

Flat = dict[str, float | int | str]


_DIGITS: Final = 4


def rounded(value: float) -> float | int:
    """Four digits: more would be noise."""
    if value == 0 or not math.isfinite(value):
        return value
    near = round(value, _DIGITS - 1 - math.floor(math.log10(abs(value))))
    return int(near) if abs(near) >= 10 ** (_DIGITS - 1) else near


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of the rounds: one that something else on the machine disturbed does not count."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Of one value a round."""
        ordered = sorted(values)
        return cls(statistics.median(ordered), ordered[0], ordered[-1])


def ratio(ours: Iterable[float], theirs: Iterable[float]) -> Spread:
    """Round by round, so that a machine that is slow for a while is slow for both."""
    return Spread.of(one / other for one, other in zip(ours, theirs, strict=True))


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should come to."""

    limit: float
    at_most: bool

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.limit:g}"

    def met(self, value: float) -> bool:
        """Whether *value* is good enough."""
        return value <= self.limit if self.at_most else value >= self.limit


def at_most(limit: float) -> Goal:
    """The less, the better."""
    return Goal(limit, at_most=True)


def at_least(limit: float) -> Goal:
    """The more, the better."""
    return Goal(limit, at_most=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number that the benchmark is for."""

    key: str
    meaning: str
    """In a few words, for the table and the plot."""
    value: Spread
    goal: Goal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one subject came to."""

    key: str
    name: str
    requests_per_second: Spread | None = None
    p50_ms: Spread
    p99_ms: Spread
    cpu_us: Mapping[str, Spread] = field(default_factory=dict)
    """CPU a request of each process."""


@dataclass(slots=True)
class Results:
    """Everything of one run, in the order in which it was measured."""

    rows: list[Row] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What went wrong, so that the figures cannot be trusted."""

    def flat(self) -> Flat:
        """One flat object: a figure under its key, its extremes under the key with ``.min`` and ``.max``."""
        flat: Flat = {}
        for figure in self.figures:
            flat[figure.key] = rounded(figure.value.median)
            flat[f"{figure.key}.min"] = rounded(figure.value.least)
            flat[f"{figure.key}.max"] = rounded(figure.value.most)
        for row in self.rows:
            if row.requests_per_second is not None:
                flat[f"{row.key}.rps"] = rounded(row.requests_per_second.median)
            flat[f"{row.key}.p50_ms"] = rounded(row.p50_ms.median)
            flat[f"{row.key}.p99_ms"] = rounded(row.p99_ms.median)
            for process, spread in row.cpu_us.items():
                flat[f"{row.key}.cpu_us.{process}"] = rounded(spread.median)
        return flat


def milliseconds(seconds: Sequence[float]) -> Spread:
    """Of durations in seconds, one a round."""
    return Spread.of(each * 1e3 for each in seconds)


def microseconds(seconds: Sequence[float]) -> Spread:
    """Of durations in seconds, one a round."""
    return Spread.of(each * 1e6 for each in seconds)
