"""Each target under the real fuzzer for a few seconds: nothing is found, and a planted bug is.

Some machines have no wheel of atheris. Where there is one, by the requirements of this project, it must be
installed.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.fuzz.corpus import NAMES
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
HAS_WHEEL = any(
    requirement.marker is not None and requirement.marker.evaluate()
    for requirement in map(Requirement, GROUPS["fuzz"])
)

pytestmark = pytest.mark.skipif(not HAS_WHEEL, reason="atheris has no wheel for this machine or Python")


def fuzz(*arguments: str, work: Path) -> subprocess.CompletedProcess[str]:
    """Run the fuzzer to its end."""
    command = [sys.executable, "-m", "tests.fuzz", *arguments, "--seed", "1", "--work", str(work)]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=110)


def findings(work: Path, name: str) -> list[Path]:
    """The inputs that were left as findings."""
    return [path for path in (work / name).iterdir() if path.name.startswith("crash-")]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_found(name: str, tmp_path: Path) -> None:
    """A short run with the corpus goes by without a finding, and is led by the coverage of the product."""
    run = fuzz(name, "--seconds", "3", work=tmp_path)
    assert run.returncode == 0, run.stderr[-4000:]
    assert "INFO: Instrumenting doorward_server.domain" in run.stderr
    assert "stat::number_of_executed_units" in run.stderr
    assert findings(tmp_path, name) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_planted_bug_is_found(name: str, tmp_path: Path) -> None:
    """With a bug in the target the run fails, and leaves an input that shows it, and passes without."""
    run = fuzz(name, "--seconds", "60", "--planted", work=tmp_path)
    assert run.returncode != 0
    (finding,) = findings(tmp_path, name)
    data = finding.read_bytes()
    with pytest.raises(AssertionError):
        TARGETS[name].planted(data)
    TARGETS[name].check(data)


def test_a_bug_is_found_without_a_corpus(tmp_path: Path) -> None:
    """Coverage alone leads from nothing to an input that shows a bug."""
    run = fuzz("cookies", "--seconds", "90", "--planted", "--corpus", str(tmp_path / "none"), work=tmp_path)
    assert run.returncode != 0
    assert findings(tmp_path, "cookies")
