"""The table that a run prints."""

import importlib.metadata
import os
import platform
import statistics
from collections.abc import Sequence

from tabulate import tabulate

from benchmarks.subject import Load, Round, Subject

HEADERS = ("server", "p50 ms", "p99 ms", "checks/s", "CPU µs/check", "p99 ratio", "checks/s ratio")


def table(subjects: Sequence[Subject], *, baseline: Subject) -> str:
    """One row a server; the ratios are to the baseline of the same run."""
    rows = []
    for subject in subjects:
        p99, throughput = subject.median(_p99), subject.median(_throughput)
        rows.append(
            (
                subject.case.name,
                f"{subject.median(lambda turn: turn.p50) * 1e3:.3f}",
                f"{p99 * 1e3:.3f}",
                f"{throughput:,.0f}",
                f"{subject.median(lambda turn: turn.cpu_seconds) * 1e6:.0f}",
                f"{p99 / baseline.median(_p99):.2f}",
                f"{throughput / baseline.median(_throughput):.1f}",
            )
        )
    return tabulate(
        rows, headers=HEADERS, disable_numparse=True, colalign=("left", *("right",) * (len(HEADERS) - 1))
    )


def footing(subjects: Sequence[Subject]) -> str:
    """What the latencies hold that is not the servers' doing."""
    late = statistics.median(turn.own_p99 for subject in subjects for turn in subject.rounds)
    return f"The generator itself sent {late * 1e3:.3f} ms late at p99: the machine's doing, no server's."


def heading(load: Load, *, rounds: int) -> str:
    """What was measured, where, and how far to believe it."""
    return (
        f"Warm Checks over a Unix socket, {load.connections} connections, "
        f"{rounds} rounds of {load.seconds:g} s each:\n"
        f"latency at {load.rate:,.0f} requests/s (open loop, Poisson), then checks/s with "
        f"{load.connections * load.in_flight} in flight.\n"
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores shared with the load generator "
        f"(load average {os.getloadavg()[0]:.1f}), "
        f"Python {platform.python_version()}, {_version('grpcio')}, {_version('pygrpc-native')}.\n"
        "Medians of the rounds; ratios are to the last row. Compare ratios, not the numbers of two machines."
    )


def _p99(turn: Round) -> float:
    return turn.p99


def _throughput(turn: Round) -> float:
    return turn.throughput


def _version(distribution: str) -> str:
    return f"{distribution} {importlib.metadata.version(distribution)}"
