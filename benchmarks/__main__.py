"""Measure Check: ``python -m benchmarks [--seconds 1.5] [--rounds 3] [--rate 1000]``."""

import argparse
import contextlib
import gc
import sys
import tempfile
from pathlib import Path

from benchmarks.report import footing, heading, table
from benchmarks.subject import Case, Load, running

CASES = (
    Case(name="Doorward, native transport", kind="native", workload="doorward"),
    Case(name="no-op, native transport", kind="native", workload="noop"),
    Case(name="no-op, grpcio transport", kind="grpcio", workload="noop"),
    Case(name="no-op, grpc.aio", kind="grpc.aio", workload="noop"),
)


def main() -> int:
    """Print the table; 1 when any call failed."""
    options = _parser().parse_args()
    load = Load(rate=options.rate, seconds=options.seconds, connections=options.connections, in_flight=16)
    print(heading(load, rounds=options.rounds), flush=True)
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dw-bench-")))
        subjects = [stack.enter_context(running(case, directory=directory, load=load)) for case in CASES]
        for subject in subjects:
            subject.warm_up(load)
        # The generator's own pauses would count as the server's.
        gc.disable()
        # In turns, so that a machine that slows down for a while does so for everyone.
        for turn in range(options.rounds):
            for subject in subjects:
                subject.measure(load, seed=turn)
        gc.enable()
    print(f"\n{table(subjects, baseline=subjects[-1])}\n\n{footing(subjects)}")
    failures = {subject.case.name: subject.failures for subject in subjects if subject.failures}
    for name, count in failures.items():
        print(f"{name}: {count} calls failed", file=sys.stderr)
    return 1 if failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="What Check costs on this machine."
    )
    parser.add_argument("--seconds", type=float, default=1.5, help="how long each measurement takes")
    parser.add_argument("--rounds", type=int, default=3, help="how often each server has its turn")
    parser.add_argument("--rate", type=float, default=1000.0, help="requests a second for the latency")
    parser.add_argument("--connections", type=int, default=4, help="client connections to each server")
    return parser


if __name__ == "__main__":
    sys.exit(main())
