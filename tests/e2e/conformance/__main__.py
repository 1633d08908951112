"""`python -m tests.e2e.conformance` prints all the cases, `… run FILE` tries them on the setup in a file."""

import argparse
import sys
from pathlib import Path

from tests.e2e.conformance.examine import examine, latecomers, missing
from tests.e2e.conformance.page import render
from tests.e2e.conformance.setup_file import SetupError, described_target
from tests.e2e.conformance.table import CASES
from tests.e2e.conformance.target import Target


def main(arguments: list[str] | None = None) -> int:
    """Run the command; answers its exit status: 0, 1 when a case failed, 2 when the file is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.conformance", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    running = commands.add_parser("run", help="try the cases on a setup")
    running.add_argument("file", type=Path, help="TOML, see docs/how-to/conformance.md")
    running.add_argument("--only", default="", metavar="PREFIX", help="the cases whose names begin so")
    chosen = parser.parse_args(arguments)
    if chosen.command is None:
        sys.stdout.write(render())
        return 0
    try:
        with described_target(chosen.file) as target:
            return run(target, only=chosen.only)
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def run(target: Target, *, only: str) -> int:
    """Try the cases, and say what came of each."""
    passed = failed = left_out = 0
    for case in CASES:
        if not case.name.startswith(only):
            continue
        if lacking := missing(case, target):
            left_out += 1
            _say(f"left out {case.name} needs {', '.join(sorted(lacking))}")
        elif findings := examine(case, target):
            failed += 1
            _say(f"FAILED {case.name}: {case.rule} ({case.source})", *findings)
        else:
            passed += 1
            _say(f"passed {case.name}")
    if late := latecomers(target):
        failed += 1
        _say("FAILED after all: what reaches an app late does reach it.", *late)
    _say(f"{passed} passed, {failed} failed, {left_out} left out")
    return 1 if failed or not passed else 0


def _say(*lines: str) -> None:
    sys.stdout.write("\n    ".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
