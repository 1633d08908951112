"""The benchmark works from end to end; how fast anything is, no test says."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.programs import missing_programs

ROOT = Path(__file__).parents[2]


@pytest.fixture
def load_generators() -> None:
    """Skip where there are no load generators: CI brings them."""
    if missing := missing_programs():
        pytest.skip(missing)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("load_generators")
def test_the_benchmark_prints_its_tables() -> None:
    """``python -m benchmarks`` measures every server and prints what it measures by which goal."""
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert "check.cpu_vs_noop_same_transport" in done.stdout
    assert "no-op, grpc.aio" in done.stdout
