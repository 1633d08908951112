"""Changes of the policy, at the replica: what they cost Checks meanwhile, and what one costs by itself."""

import contextlib
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.load import percentile, steady
from benchmarks.plan import Plan
from benchmarks.requests import known_client
from benchmarks.results import Figure, Results, Row, Spread, at_most, milliseconds, ratio
from benchmarks.server import Server, connected
from benchmarks.stand import Stand, stand

_ANSWER_SECONDS: Final = 60.0
_LONGER: Final = 3
"""A p99 needs many requests."""


def measure(plan: Plan, home: Path, results: Results) -> None:
    """Measure Check without and with updates, in turns; then single changes in a small and a large policy."""
    with contextlib.ExitStack() as stack:
        large = stack.enter_context(stand(home / "large", tokens=plan.tokens, in_load=plan.in_load))
        small = stack.enter_context(
            stand(home / "small", tokens=plan.sizes[0], in_load=min(plan.in_load, plan.sizes[0]))
        )
        _measure_updates(large, plan, results)
        _measure_one_change(small, large, plan, results)


def _measure_updates(stood: Stand, plan: Plan, results: Results) -> None:
    templates = [known_client(pair, number=number) for number, pair in enumerate(stood.pairs)]
    seconds = _LONGER * plan.seconds
    sent = applied = 0
    began = time.perf_counter()
    with contextlib.ExitStack() as stack:
        quiet, updated = (
            stack.enter_context(
                connected(name, process=stood.replica.usage, socket=stood.socket, templates=templates)
            )
            for name in ("Check, no updates", f"Check, {plan.update_rate:,.0f} updates/s")
        )
        quiet.warm_up(seconds=plan.seconds)
        with steady():
            for turn in range(plan.rounds):
                quiet.measure_latency(rate=plan.rate, seconds=seconds, seed=turn)
                stood.feed.tell({"do": "changes", "rate": plan.update_rate, "seconds": seconds})
                updated.measure_latency(rate=plan.rate, seconds=seconds, seed=turn)
                done = stood.feed.hear(timeout=_ANSWER_SECONDS)
                sent, applied = sent + done["sent"], applied + done["applied"]
    if applied != sent:
        results.faults.append(f"changes: of {sent} updates {applied} were applied")
    _report_updates(quiet, updated, stood.pauses(since=began), results)


def _report_updates(quiet: Server, updated: Server, pauses: Sequence[float], results: Results) -> None:
    for key, server in (("quiet", quiet), ("updated", updated)):
        results.rows.append(
            Row(
                key=f"changes.{key}",
                name=server.name,
                p50_ms=milliseconds(server.series.p50),
                p99_ms=milliseconds(server.series.p99),
            )
        )
        if server.failures:
            results.faults.append(f"changes: {server.name}: {server.failures} calls failed")
    results.figures += (
        Figure(
            key="changes.p99_updates_vs_quiet",
            meaning="p99 of Check while the policy is updated, to none",
            value=ratio(updated.series.p99, quiet.series.p99),
            goal=at_most(2),
        ),
        Figure(
            key="changes.gc_longest_ms",
            meaning="longest garbage collection since the first Check, ms",
            value=Spread.of([1e3 * max(pauses, default=0.0)]),
            goal=at_most(1),
        ),
    )


def _measure_one_change(small: Stand, large: Stand, plan: Plan, results: Results) -> None:
    series: dict[str, list[list[float]]] = {"small": [], "large": []}
    question = {"do": "label_change", "trials": max(1, plan.label_changes // plan.rounds)}
    for _ in range(plan.rounds):
        for name, stood in (("small", small), ("large", large)):
            series[name].append(stood.feed.ask(question, timeout=_ANSWER_SECONDS)["seconds"])
    for name, tokens in (("small", plan.sizes[0]), ("large", plan.tokens)):
        results.rows.append(
            Row(
                key=f"changes.label_{name}",
                name=f"label change until acknowledged, {tokens:,} tokens",
                p50_ms=milliseconds([percentile(each, 50) for each in series[name]]),
                p99_ms=milliseconds([percentile(each, 99) for each in series[name]]),
            )
        )
    medians = {name: [statistics.median(each) for each in rounds] for name, rounds in series.items()}
    results.figures.append(
        Figure(
            key="changes.label_change_100k_vs_1k",
            meaning="a label change until acknowledged, many tokens to few",
            value=ratio(medians["large"], medians["small"]),
        )
    )
