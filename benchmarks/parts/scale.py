"""Size: replicas that hold more and more tokens, asked alike, in turns."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import steady
from benchmarks.plan import Plan
from benchmarks.requests import known_client
from benchmarks.results import Figure, Results, Row, Spread, at_most, microseconds, milliseconds, ratio
from benchmarks.server import Server, connected
from benchmarks.stand import Stand, stand


@dataclass(slots=True, kw_only=True)
class _Size:
    tokens: int
    stood: Stand
    server: Server
    resident: int
    """Bytes, before the first Check."""


def measure(plan: Plan, home: Path, results: Results) -> None:
    """Measure latency at a rate, memory and pauses of all sizes."""
    with contextlib.ExitStack() as stack:
        with stand(home / "empty", tokens=0, in_load=0) as empty:
            nothing = empty.replica.usage.memory_info().rss
        sizes = [_sized(stack, home, tokens, in_load=plan.sizes[0]) for tokens in plan.sizes]
        for size in sizes:
            size.server.warm_up(seconds=plan.seconds)
        began = time.perf_counter()
        with steady():
            for turn in range(plan.rounds):
                for size in sizes:
                    size.server.measure_latency(rate=plan.rate, seconds=2 * plan.seconds, seed=turn)
                    size.server.measure_cost(seconds=plan.seconds)
        _report(sizes, nothing, sizes[-1].stood.pauses(since=began), results)


def _sized(stack: contextlib.ExitStack, home: Path, tokens: int, *, in_load: int) -> _Size:
    """A replica with so many tokens. As many are used of each, spread over all: size alone differs."""
    stood = stack.enter_context(stand(home / str(tokens), tokens=tokens, in_load=in_load))
    resident = stood.replica.usage.memory_info().rss
    server = stack.enter_context(
        connected(
            f"{tokens:,} tokens, {tokens // 10:,} apps",
            process=stood.replica.usage,
            socket=stood.socket,
            templates=[known_client(pair, number=number) for number, pair in enumerate(stood.pairs)],
        )
    )
    return _Size(tokens=tokens, stood=stood, server=server, resident=resident)


def _report(sizes: Sequence[_Size], nothing: int, pauses: Sequence[float], results: Results) -> None:
    for size in sizes:
        series = size.server.series
        results.rows.append(
            Row(
                key=f"scale.{size.tokens}",
                name=size.server.name,
                p50_ms=milliseconds(series.p50),
                p99_ms=milliseconds(series.p99),
                cpu_us={"check": microseconds(series.cpu)},
            )
        )
        if size.server.failures:
            results.faults.append(f"scale: {size.server.name}: {size.server.failures} calls failed")
    least, most = sizes[0], sizes[-1]
    results.figures += (
        Figure(
            key="scale.p50_1m_vs_1k",
            meaning="p50 of Check with the most tokens, to the fewest",
            value=ratio(most.server.series.p50, least.server.series.p50),
            goal=at_most(1.15),
        ),
        Figure(
            key="scale.p99_1m_vs_1k",
            meaning="p99 of Check with the most tokens, to the fewest",
            value=ratio(most.server.series.p99, least.server.series.p99),
        ),
        Figure(
            key="scale.cpu_1m_vs_1k",
            meaning="CPU a decision with the most tokens, to the fewest",
            value=ratio(most.server.series.cpu, least.server.series.cpu),
        ),
        Figure(
            key="scale.gc_longest_ms",
            meaning="longest garbage collection under load, most tokens, ms",
            value=Spread.of([1e3 * max(pauses, default=0.0)]),
            goal=at_most(1),
        ),
        Figure(
            key="scale.bytes_per_token",
            meaning="resident bytes a token, most tokens (its share of the apps included)",
            value=Spread.of([(most.resident - nothing) / most.tokens]),
            goal=at_most(700),
        ),
    )
