"""The plot of a run: an SVG that a README can show, on light and on dark pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from benchmarks.report import number
from benchmarks.results import Figure, Results, Row

_WIDTH: Final = 780
_MARGIN: Final = 12
_LABELS: Final = 300
"""Where the bars begin."""
_BARS: Final = 350
"""How long the longest is."""
_BAR, _STEP, _HEAD, _GAP = 18, 26, 50, 22

# Colours that are told apart without red and green, and have contrast on both backgrounds.
_STYLE: Final = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 14px; }
  .note { fill: #59636e; font-size: 12px; }
  .bar { fill: #9aa4af; }
  .ours { fill: #0969da; }
  .axis { stroke: #d1d9e0; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .note { fill: #9198a1; }
    .bar { fill: #656c76; }
    .ours { fill: #4493f8; }
    .axis { stroke: #3d444d; }
  }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bar:
    label: str
    length: float
    text: str
    ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    title: str
    note: str
    bars: Sequence[_Bar]


def plot(results: Results) -> str:
    """What was measured, as bars, and the ratios that it comes to."""
    panels = [panel for panel in _panels(results) if panel.bars]
    parts: list[str] = []
    top = _MARGIN
    for panel in panels:
        parts += _drawn(panel, top=top)
        top += _HEAD + _STEP * len(panel.bars) + _GAP
    described = ". ".join(
        f"{panel.title}: " + ", ".join(f"{bar.label} {bar.text}" for bar in panel.bars) for panel in panels
    )
    size = f'viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" height="{top}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="what">',
            f'<title id="what">{escape(described)}</title>',
            f"<style>{_STYLE}</style>",
            *parts,
            "</svg>\n",
        )
    )


def _panels(results: Results) -> Iterator[_Panel]:
    figures = {figure.key: figure for figure in results.figures}
    yield _Panel(
        title="CPU of one decision",
        note=_note(
            figures,
            ("check.cpu_vs_noop_same_transport", "Doorward takes {} times the no-op on the same transport"),
            ("check.cpu_vs_noop_grpc_aio", "{} times the no-op grpc.aio server"),
        ),
        bars=[
            _bar(row, row.cpu_us["check"].median, "µs", ours=row.key.startswith("check.doorward"))
            for row in _rows(results, "check")
        ],
    )
    yield _Panel(
        title="Requests a second through Envoy",
        note=_note(
            figures,
            ("envoy.rps_vs_noop_ext_authz", "with Doorward {} times the no-op ext_authz"),
            ("envoy.edge_cache_rps_vs_no_auth", "with its edge cache {} times no ext_authz"),
        ),
        bars=[
            _bar(row, row.requests_per_second.median, "/s", ours=row.key not in _OTHERS)
            for row in _rows(results, "envoy")
            if row.requests_per_second is not None
        ],
    )
    yield _Panel(
        title="Median time of a Check, by the size of the policy",
        note=_note(figures, ("scale.p50_1m_vs_1k", "the largest takes {} times the smallest")),
        bars=[_bar(row, row.p50_ms.median, "ms", ours=True) for row in _rows(results, "scale")],
    )


_OTHERS: Final = {"envoy.no_auth", "envoy.noop"}


def _rows(results: Results, part: str) -> list[Row]:
    return [row for row in results.rows if row.key.startswith(f"{part}.")]


def _bar(row: Row, value: float, unit: str, *, ours: bool) -> _Bar:
    return _Bar(label=row.name, length=value, text=f"{number(value)} {unit}", ours=ours)


def _note(figures: dict[str, Figure], *said: tuple[str, str]) -> str:
    """The ratios that were measured, each in its words."""
    return ", ".join(words.format(number(figures[key].value.median)) for key, words in said if key in figures)


def _drawn(panel: _Panel, *, top: int) -> Iterator[str]:
    longest = max(bar.length for bar in panel.bars)
    yield f'<text class="title" x="{_MARGIN}" y="{top + 16}">{escape(panel.title)}</text>'
    yield f'<text class="note" x="{_MARGIN}" y="{top + 35}">{escape(panel.note)}</text>'
    for place, bar in enumerate(panel.bars):
        y = top + _HEAD + _STEP * place
        width = max(1.0, bar.length / longest * _BARS)
        kind = "bar ours" if bar.ours else "bar"
        middle = y + _BAR - 4
        yield f'<text x="{_LABELS - 10}" y="{middle}" text-anchor="end">{escape(bar.label)}</text>'
        yield f'<rect class="{kind}" x="{_LABELS}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2"/>'
        yield f'<text x="{_LABELS + width + 8:.1f}" y="{middle}">{escape(bar.text)}</text>'
    bottom = top + _HEAD + _STEP * len(panel.bars) - _STEP + _BAR + 3
    yield f'<line class="axis" x1="{_LABELS}" x2="{_LABELS}" y1="{top + _HEAD - 3}" y2="{bottom}"/>'
