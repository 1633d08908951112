"""docs/performance.md and the README say what was measured, and nothing else."""

import json
import re

from benchmarks.publish import BEGIN, DOCUMENT, END, PLOT, RESULTS
from benchmarks.report import number

LATEST = json.loads(RESULTS.read_text())
WRITTEN = DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in WRITTEN.splitlines()
    if line.startswith("| ") and "`" in line
]
FIGURES = [row for row in ROWS if row[0].startswith("`")]
SUBJECTS = [row for row in ROWS if row[1].startswith("`")]


def test_every_figure_in_the_document_is_the_one_that_was_measured() -> None:
    """The table and `latest.json` are of the same run."""
    assert len(FIGURES) > 10
    for key, _, median, extremes, *_ in FIGURES:
        name = key.strip("`")
        assert median == number(LATEST[name]), name
        if extremes:
            assert extremes == f"{number(LATEST[f'{name}.min'])} to {number(LATEST[f'{name}.max'])}", name


def test_every_figure_that_was_measured_is_in_the_document() -> None:
    """None is left out because it looks bad."""
    measured = {key.removesuffix(".min") for key in LATEST if key.endswith(".min")}
    assert {row[0].strip("`") for row in FIGURES} == measured


def test_every_server_in_the_document_is_as_it_was_measured() -> None:
    """Requests a second, times and CPU of each."""
    assert len(SUBJECTS) > 10
    for name, key, rate, p50, p99, cpu in SUBJECTS:
        row = key.strip("`")
        assert rate == (number(LATEST[f"{row}.rps"]) if f"{row}.rps" in LATEST else ""), name
        assert (p50, p99) == (number(LATEST[f"{row}.p50_ms"]), number(LATEST[f"{row}.p99_ms"])), name
        said = dict(re.findall(r"(\w+) ([\d.,]+)(?:, |$)", cpu))
        assert said == {
            each.rpartition(".")[2]: number(value)
            for each, value in LATEST.items()
            if each.startswith(f"{row}.cpu_us.")
        }, name


def test_the_plot_is_of_the_same_run() -> None:
    """Its ratios are those of the table."""
    drawn = PLOT.read_text()
    assert f"Doorward takes {number(LATEST['check.cpu_vs_noop_same_transport'])} times" in drawn
    assert f"the largest takes {number(LATEST['scale.p50_1m_vs_1k'])} times" in drawn


def test_the_readme_shows_the_plot() -> None:
    """People see it first."""
    assert "docs/images/benchmark.svg" in (DOCUMENT.parents[1] / "README.md").read_text()
