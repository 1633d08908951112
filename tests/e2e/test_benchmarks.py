"""The benchmark works from end to end; how fast anything is, no test says."""

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest

from benchmarks.programs import missing_programs
from benchmarks.publish import DOCUMENT, PLOT, RESULTS

ROOT = Path(__file__).parents[2]

KEYS = {
    "check.cpu_vs_noop_same_transport",
    "check.cpu_vs_noop_grpc_aio",
    "check.cpu_vs_noop_grpc_server",
    "check.cpu_first_vs_noop_same_transport",
    "envoy.rps_vs_noop_ext_authz",
    "envoy.edge_cache_rps_vs_no_auth",
    "scale.p50_1m_vs_1k",
    "scale.bytes_per_token",
    "scale.gc_longest_ms",
    "scale.cold_start_1m_s",
    "changes.p99_updates_vs_quiet",
    "changes.label_change_100k_vs_1k",
    "revoke.p50_ms",
    "revoke.p99_ms",
    "revoke.allowed_after_return",
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for everything temporary, with a name that is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="dw-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.mark.timeout(600)
@pytest.mark.skipif(bool(missing_programs()), reason=missing_programs())
def test_the_benchmark_measures_everything_and_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    """Every figure is there and finite, no process or file is left, and the committed results stay."""
    committed = [path.read_bytes() for path in (RESULTS, PLOT, DOCUMENT)]
    command = [sys.executable, "-m", "benchmarks", "--quick", "--into", str(tmp_path)]
    environment = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr

    results = json.loads((tmp_path / "latest.json").read_text())
    assert results.keys() >= KEYS
    assert all(math.isfinite(value) for value in results.values() if not isinstance(value, str))
    assert results["revoke.allowed_after_return"] == 0
    assert all(key in done.stdout for key in KEYS)
    assert ET.parse(tmp_path / "benchmark.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - ours

    assert list(folder.iterdir()) == []
    assert _processes_of(folder) == []
    assert [path.read_bytes() for path in (RESULTS, PLOT, DOCUMENT)] == committed


def _processes_of(folder: Path) -> list[str]:
    """What runs with this folder for its temporary files."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(folder):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found
