"""Measure Doorward: ``python -m benchmarks [--quick] [--only PART] [--into FOLDER]``."""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.parts import PARTS
from benchmarks.plan import FULL, QUICK, Plan
from benchmarks.programs import missing_programs
from benchmarks.publish import publish, write_to
from benchmarks.report import table
from benchmarks.results import Results


def main() -> int:
    """Measure, print the tables, write the results; 1 when something went wrong in between."""
    options = _parser().parse_args()
    if missing := missing_programs():
        print(missing, file=sys.stderr)
        return 1
    # What is measured is what the settings here say, not what somebody's shell has set.
    for name in [name for name in os.environ if name.startswith("DOORWARD_")]:
        del os.environ[name]
    # As after Ctrl-C: what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    plan = QUICK if options.quick else FULL
    results = _measured(plan, options.only or PARTS)
    print(table(results, plan))
    if results.faults:
        print("\n".join(results.faults), file=sys.stderr)
        return 1
    if options.into is not None:
        write_to(options.into, results)
    elif plan is FULL and not options.only:
        publish(results, plan)
    return 0


def _measured(plan: Plan, parts: Iterable[str]) -> Results:
    results, began = Results(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dwb-") as folder:
        for name in parts:
            print(f"{time.monotonic() - began:4.0f} s: {name}", file=sys.stderr, flush=True)
            for number, measure in enumerate(PARTS[name]):
                home = Path(folder) / f"{name}{number}"
                home.mkdir()
                measure(plan, home, results)
    return results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="What Doorward costs on this machine."
    )
    parser.add_argument("--only", action="append", choices=list(PARTS), help="one part; may be repeated")
    parser.add_argument(
        "--quick", action="store_true", help="see in a minute that everything works; the figures mean nothing"
    )
    parser.add_argument(
        "--into",
        type=Path,
        metavar="FOLDER",
        help="where the results go; by default those of a whole run become the repository's",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
