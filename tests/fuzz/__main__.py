"""Fuzz one target, or all of them one after another.

Needs atheris. What is found is left under `--work` in a file that the target fails for, and the exit status
is not 0.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.fuzz.corpus import CORPUS, NAMES

ROOT: Final = Path(__file__).resolve().parents[2]


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", nargs="?", choices=NAMES, help="default: all")
    parser.add_argument("--seconds", type=int, default=300, help="for each target (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of chance (default: another one each time)")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="where inputs to begin with are")
    parser.add_argument("--work", type=Path, default=ROOT / ".fuzz", help="for findings and new inputs")
    parser.add_argument("--planted", action="store_true", help="plant a bug, which has to be found")
    parser.add_argument("--seed-corpus", action="store_true", help="write the seeds into --corpus, and end")
    chosen = parser.parse_args()
    if chosen.seed_corpus:
        from tests.fuzz.seeds import write_seeds  # noqa: PLC0415 - imports what is fuzzed

        write_seeds(chosen.corpus)
    elif chosen.target is None:
        sys.exit(_run_all(sys.argv[1:]))
    else:
        from tests.fuzz.engine import run  # noqa: PLC0415 - instruments what it imports

        run(
            chosen.target,
            seconds=chosen.seconds,
            seed=chosen.seed,
            corpus=chosen.corpus / chosen.target,
            work=chosen.work / chosen.target,
            planted=chosen.planted,
        )


def _run_all(arguments: list[str]) -> int:
    """Each target in a process of its own, also when one before it had a finding."""
    failed = [
        name
        for name in NAMES
        if subprocess.run([sys.executable, "-m", "tests.fuzz", name, *arguments], check=False).returncode
    ]
    print("findings:", ", ".join(failed) or "none")  # noqa: T201 - it is a command
    return 1 if failed else 0


if __name__ == "__main__":
    main()
