"""How tests get at the SDKs of other languages: their toolchains, and what those print when they fail."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tools.toolchains import TOOLCHAINS

ROOT = Path(__file__).resolve().parents[3]
CLIENTS = ROOT / "src" / "clients"

BUILD_SECONDS = 400


def require(language: str) -> None:
    """Skip where the toolchain is missing, and say how to get it; in CI that is a failure."""
    missing = TOOLCHAINS[language].missing()
    if missing and os.environ.get("CI"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)


def succeed(
    command: Sequence[str | Path], *, folder: Path, environment: Mapping[str, str] | None = None
) -> str:
    """Run a command that must succeed and return what it prints."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout[-8000:]}"
    return done.stdout


CI_PAGE = ROOT / "docs" / "how-to" / "ci.md"


def example(page: Path, language: str) -> str:
    """Return the first block of code in *language* on a page."""
    found = re.search(
        rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found is not None, f"{page} has no {language} in it"
    return found[1]
