"""Writes what a run came to: for programs, for the README and for docs/performance.md."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.plan import Plan
from benchmarks.plot import plot
from benchmarks.report import figure_cells, heading, machine, number
from benchmarks.results import Results

_ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = _ROOT / "benchmarks" / "results" / "latest.json"
PLOT: Final = _ROOT / "docs" / "images" / "benchmark.svg"
DOCUMENT: Final = _ROOT / "docs" / "performance.md"

BEGIN: Final = "<!-- Written by `make bench`: begin -->"
END: Final = "<!-- Written by `make bench`: end -->"


def write_to(folder: Path, results: Results) -> None:
    """Write ``latest.json`` and ``benchmark.svg`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULTS.name).write_text(_json(results))
    (folder / PLOT.name).write_text(plot(results))


def publish(results: Results, plan: Plan) -> None:
    """Make them those of the repository, with the tables of docs/performance.md."""
    for path, text in (
        (RESULTS, _json(results)),
        (PLOT, plot(results)),
        (DOCUMENT, with_tables(DOCUMENT.read_text(), results, plan)),
    ):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def with_tables(document: str, results: Results, plan: Plan) -> str:
    """The document with the tables of this run between its two marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n".join((f"{before}{BEGIN}", "", *_tables(results, plan), "", f"{END}{after}"))


def _json(results: Results) -> str:
    return json.dumps(results.flat() | machine(), indent=1) + "\n"


def _tables(results: Results, plan: Plan) -> Iterator[str]:
    yield "| figure | what | median | min to max | goal | met |"
    yield "| --- | --- | ---: | ---: | ---: | --- |"
    for figure in results.figures:
        key, *cells = figure_cells(figure)
        yield _line(f"`{key}`", *cells)
    yield ""
    yield "| measured | keys begin with | requests/s | p50 ms | p99 ms | CPU µs a request |"
    yield "| --- | --- | ---: | ---: | ---: | --- |"
    for row in results.rows:
        rate = row.requests_per_second
        yield _line(
            row.name,
            f"`{row.key}`",
            "" if rate is None else number(rate.median),
            number(row.p50_ms.median),
            number(row.p99_ms.median),
            ", ".join(f"{process} {number(spread.median)}" for process, spread in row.cpu_us.items()),
        )
    yield ""
    yield " ".join(heading(plan).splitlines())


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
