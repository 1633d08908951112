"""What rounds come to, and what is said of it."""

import math
import re

import pytest

from benchmarks import h2load, wrk
from benchmarks.plan import QUICK
from benchmarks.plot import plot
from benchmarks.programs import missing_programs
from benchmarks.publish import BEGIN, END, with_tables
from benchmarks.report import table
from benchmarks.results import Figure, Results, Row, Spread, at_least, at_most, ratio


@pytest.fixture
def results() -> Results:
    """Two servers and a ratio between them."""
    servers = (("check.doorward", "Doorward", 14.26), ("check.native", "no-op <native>", 11.0))
    return Results(
        rows=[
            Row(
                key=key,
                name=name,
                requests_per_second=Spread.of([51_234.5]),
                p50_ms=Spread.of([0.25]),
                p99_ms=Spread.of([1.5]),
                cpu_us={"check": Spread.of([cpu])},
            )
            for key, name, cpu in servers
        ],
        figures=[
            Figure(
                key="check.cpu_vs_noop_same_transport",
                meaning="CPU a decision",
                value=ratio([2.0, 3.0, 9.0], [2.0, 2.0, 3.0]),
                goal=at_most(1.3),
            )
        ],
    )


def test_a_ratio_is_of_the_same_round() -> None:
    """Each round is compared with itself; the median counts, and the extremes show how far to believe it."""
    assert ratio([2.0, 3.0, 9.0], [2.0, 2.0, 3.0]) == Spread(1.5, 1.0, 3.0)


def test_rounds_that_do_not_match_are_no_ratio() -> None:
    """A subject that missed a round is not compared by chance."""
    with pytest.raises(ValueError, match="shorter"):
        ratio([1.0, 2.0], [1.0])


def test_a_goal_has_a_direction() -> None:
    """At the limit it is met, beyond it is not."""
    assert at_most(1.3).met(1.3)
    assert not at_most(1.3).met(1.31)
    assert at_least(0.97).met(0.97)
    assert not at_least(0.97).met(0.96)
    assert not at_most(1.3).met(math.nan)


def test_results_are_one_flat_object(results: Results) -> None:
    """Figures under their keys with their extremes, rows under theirs, four digits each."""
    assert results.flat() == {
        "check.cpu_vs_noop_same_transport": 1.5,
        "check.cpu_vs_noop_same_transport.min": 1.0,
        "check.cpu_vs_noop_same_transport.max": 3.0,
        "check.doorward.rps": 51230,
        "check.doorward.p50_ms": 0.25,
        "check.doorward.p99_ms": 1.5,
        "check.doorward.cpu_us.check": 14.26,
        "check.native.rps": 51230,
        "check.native.p50_ms": 0.25,
        "check.native.p99_ms": 1.5,
        "check.native.cpu_us.check": 11.0,
    }


def test_the_table_says_whether_goals_are_met(results: Results) -> None:
    """Key, median, extremes and goal of each figure, and every server."""
    printed = table(results, QUICK)
    assert "51,230" in printed
    (line,) = (line for line in printed.splitlines() if line.startswith("check.cpu_vs_noop_same_transport"))
    assert re.split(r"\s{2,}", line)[1:] == ["CPU a decision", "1.5", "1 to 3", "≤ 1.3", "no"]


def test_the_plot_shows_every_server(results: Results) -> None:
    """Names as they are, whatever they are made of."""
    drawn = plot(results)
    assert "no-op &lt;native&gt;" in drawn
    assert "14.3 µs" in drawn
    assert "Doorward takes 1.5 times" in drawn
    assert "prefers-color-scheme: dark" in drawn


def test_the_document_keeps_what_people_wrote(results: Results) -> None:
    """Only what stands between the marks is replaced."""
    document = with_tables(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n", results, QUICK)
    assert document.startswith(f"before\n\n{BEGIN}\n")
    assert document.endswith(f"\n{END}\n\nafter\n")
    assert "old" not in document
    assert "| `check.cpu_vs_noop_same_transport` | CPU a decision | 1.5 | 1 to 3 | ≤ 1.3 |" in document


def test_what_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the load generators the benchmark says what to install."""
    monkeypatch.setenv("PATH", "")
    assert "apt-get install nghttp2-client wrk" in missing_programs()


def test_reports_of_the_load_generators_are_read() -> None:
    """What h2load and wrk print, failures included."""
    report = """
finished in 2.00s, 100.50 req/s, 11.23KB/s
requests: 201 total, 202 started, 201 done, 200 succeeded, 1 failed, 0 errored, 0 timeout
"""
    assert h2load.parsed(report) == h2load.H2Load(requests=201, throughput=100.5, failures=1)
    with pytest.raises(ValueError, match="something else"):
        h2load.parsed("h2load: cannot connect")
    line = '{"requests": 500, "microseconds": 2000000, "p50": 1500, "p99": 9000, "failures": 2}'
    assert wrk.parsed(f"Running 2s test\n\n{line}\n") == wrk.Wrk(
        requests=500, throughput=250.0, p50=0.0015, p99=0.009, failures=2
    )
