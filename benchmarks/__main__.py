"""Measure Doorward: ``python -m benchmarks [--quick] [--only PART] [--into FOLDER]``."""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.parts import PARTS
from benchmarks.plan import FULL, QUICK
from benchmarks.programs import missing_programs
from benchmarks.report import table
from benchmarks.results import Results


def main() -> int:
    """Measure, print the tables, write the results; 1 when something went wrong in between."""
    options = _parser().parse_args()
    if missing := missing_programs():
        print(missing, file=sys.stderr)
        return 1
    plan = QUICK if options.quick else FULL
    results = Results()
    with tempfile.TemporaryDirectory(prefix="dwb-") as folder:
        for name in options.only or PARTS:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            home = Path(folder) / name
            home.mkdir()
            PARTS[name](plan, home, results)
    print(table(results, plan))
    for fault in results.faults:
        print(fault, file=sys.stderr)
    return 1 if results.faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="What Doorward costs on this machine."
    )
    parser.add_argument("--only", action="append", choices=list(PARTS), help="one part; may be repeated")
    parser.add_argument(
        "--quick", action="store_true", help="see in a minute that everything works; the figures mean nothing"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
