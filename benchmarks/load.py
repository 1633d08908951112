"""Two kinds of load: at a rate of its own, and as much as the server takes."""

import contextlib
import gc
import itertools
import math
import random
import select
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.connection import Connection

_PATIENCE_SECONDS = 5.0


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of the calls of one run."""

    latencies: list[float] = field(default_factory=list)
    """Seconds from when a call was due to when its answer was here."""
    delays: list[float] = field(default_factory=list)
    """Seconds from when a call was due to when the generator sent it: what the machine adds by itself."""
    failures: int = 0
    seconds: float = 0.0


def at_rate(
    connections: Sequence[Connection], requests: Iterator[bytes], *, rate: float, seconds: float, seed: int
) -> Outcome:
    """Calls at random times (a Poisson process), ``rate`` a second on average, whether or not answers come.

    A call counts from when it was due, not from when the generator got round to sending it.
    """
    chance = random.Random(seed)  # noqa: S311 -- arrival times, not secrets
    turns = itertools.cycle(connections)
    outcome = Outcome()
    begun = time.perf_counter()
    end, due = begun + seconds, begun + chance.expovariate(rate)
    while due < end or _in_flight(connections):
        now = time.perf_counter()
        if now > end + _PATIENCE_SECONDS:
            outcome.failures += _in_flight(connections)
            break
        while due <= now and due < end:
            connection = next(turns)
            connection.call(next(requests), due=due)
            connection.flush()
            outcome.delays.append(now - due)
            due += chance.expovariate(rate)
        wake = due if due < end else end + _PATIENCE_SECONDS
        _gather(connections, max(0.0, wake - time.perf_counter()), outcome)
    outcome.seconds = time.perf_counter() - begun
    return outcome


def saturating(
    connections: Sequence[Connection], requests: Iterator[bytes], *, in_flight: int, seconds: float
) -> Outcome:
    """As many calls as the server answers, with ``in_flight`` waiting on every connection all the time."""
    outcome = Outcome()
    begun = time.perf_counter()
    end = begun + seconds
    while (now := time.perf_counter()) < end:
        for connection in connections:
            while connection.in_flight < in_flight and connection.has_room_for(payload := next(requests)):
                connection.call(payload, due=now)
            connection.flush()
        _gather(connections, end - now, outcome)
    outcome.seconds = time.perf_counter() - begun
    # The rest is not counted, but the next run must not find it in its way.
    late = Outcome()
    while _in_flight(connections) and time.perf_counter() < end + _PATIENCE_SECONDS:
        _gather(connections, _PATIENCE_SECONDS, late)
    outcome.failures += late.failures + _in_flight(connections)
    return outcome


def each_once(
    connections: Sequence[Connection], requests: Sequence[bytes], *, in_flight: int
) -> Iterator[bytes | None]:
    """Every request once; what comes back, in any order, None for a call that failed."""
    left = iter(requests)
    sent = ended = 0
    while ended < len(requests):
        for connection in connections:
            while sent < len(requests) and connection.in_flight < in_flight:
                connection.call(next(left), due=0)
                sent += 1
            connection.flush()
        readable, _, _ = select.select(connections, (), (), _PATIENCE_SECONDS)
        if not readable:
            raise TimeoutError(f"{sent - ended} calls were not answered")
        for connection in readable:
            for call in connection.receive():
                ended += 1
                yield call.body


@contextlib.contextmanager
def steady() -> Iterator[None]:
    """Without the generator's own garbage collections, which would count as the servers' pauses."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def percentile(values: Sequence[float], percent: float) -> float:
    """By nearest rank, so a value that was measured; not a number when none was."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def _gather(connections: Sequence[Connection], timeout: float, outcome: Outcome) -> None:
    # select() waits with the precision of the kernel's timers; epoll rounds up to a millisecond.
    readable, _, _ = select.select(connections, (), (), timeout)
    for connection in readable:
        ended = connection.receive()
        now = time.perf_counter()
        for call in ended:
            if call.body is None:
                outcome.failures += 1
            else:
                outcome.latencies.append(now - call.due)


def _in_flight(connections: Sequence[Connection]) -> int:
    return sum(connection.in_flight for connection in connections)
