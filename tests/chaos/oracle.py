"""What each answer may be, by what callers were told before: pure, and without a clock of its own.

A *right* is what makes a request allowed: a secret, or an app's being in a selector's reach. Nobody but the
caller of the API knows whether it holds, so it has a timeline: it *may* hold from when a call was sent that
gives it, *holds* from when that call returned, *may* hold again from when a call was sent that ends it, and
is *ended* when that one returned. A call whose outcome nobody learned leaves it at *may*.

The promise under test: a request that was sent while its right had ended, and answered before anybody gave
the right again, is not allowed. And one that has no right never is.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum


class Holds(Enum):
    """What is known of a right at some moment."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


class Right:
    """A right, from before it was given. Times are seconds on one clock that never goes back."""

    def __init__(self, name: str) -> None:
        """*name* is for people."""
        self.name = name
        self._timeline: list[tuple[float, Holds]] = []

    def becomes(self, holds: Holds, *, at: float) -> None:
        """From *at* on, it is known to hold, or not, or neither."""
        self._timeline.append((at, holds))

    def during(self, begin: float, end: float) -> set[Holds]:
        """All that was known of it between two moments."""
        before = [holds for at, holds in self._timeline if at <= begin]
        between = [holds for at, holds in self._timeline if begin < at <= end]
        return {before[-1] if before else Holds.NO, *between}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request that was sent."""

    kind: str
    """For people: what is special about it."""
    right: Right | None
    """What would allow it. None: nothing does."""
    at: float
    """When the first byte left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A request that had its right from beginning to end, and was not allowed."""

    request: Sent
    at: float
    status: int | None
    """None: no answer came."""


@dataclass
class Oracle:
    """Judges answers, and remembers what was wrong."""

    violations: list[str] = field(default_factory=list)
    """Requests that were allowed and must not have been."""
    refusals: list[Refusal] = field(default_factory=list)
    """Requests that were not allowed and should have been: the price of a fault."""
    passed: Counter[str] = field(default_factory=Counter)
    """How many requests of each kind were allowed."""
    stopped: Counter[str] = field(default_factory=Counter)
    """How many were not."""

    def allowed(self, request: Sent, *, at: float) -> None:
        """A request reached the app."""
        self.passed[request.kind] += 1
        if request.right is None:
            self.violations.append(f"{request.kind} was allowed, sent at {request.at:.3f}")
        elif request.right.during(request.at, at) == {Holds.NO}:
            self.violations.append(
                f"{request.kind} was allowed, sent at {request.at:.3f} and allowed at {at:.3f},"
                f" when {request.right.name} had ended"
            )

    def refused(self, request: Sent, *, at: float, status: int | None) -> None:
        """A request got another answer, or none."""
        self.stopped[request.kind] += 1
        if request.right is not None and request.right.during(request.at, at) == {Holds.YES}:
            self.refusals.append(Refusal(request=request, at=at, status=status))

    def refusals_between(self, begin: float, end: float) -> Iterator[Refusal]:
        """Those of requests that were sent within a time."""
        return (each for each in self.refusals if begin <= each.request.at < end)
