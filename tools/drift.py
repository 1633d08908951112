"""Fail when generated code is not what is committed, be it by its content or by a file more or less."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Look at the folders named on the command line, as they are right after `make generate`."""
    git = ["git", "status", "--porcelain", "--untracked-files=all", "--", *sys.argv[1:]]
    changed = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    if changed:
        raise SystemExit(
            f"{changed}generated code is not what protos/ gives: run `make generate` and commit it"
        )
    print("generated code is what protos/ gives")


if __name__ == "__main__":
    main()
