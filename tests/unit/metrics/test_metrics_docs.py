"""docs/reference/metrics.md has every metric that is shown, with its type and labels, and no other."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from doorward_server.domain.ids import Revision
from doorward_server.metrics.api import collect_api
from doorward_server.metrics.check import collect_check
from doorward_server.metrics.families import rendering
from doorward_server.rpc.calls import CallState
from doorward_server.services.leases import ReplicaIdentity, ReplicaView
from tests.support.fakes import FakePropagation
from tests.unit.metrics.vitals import METHOD, Clock, api_vitals, check_vitals

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = DOCS / "reference" / "metrics.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([^|]*)\| ([^|]+) \|$", re.MULTILINE)

Metrics = dict[str, tuple[str, frozenset[str]]]
"""Type and labels by name."""


def documented(heading: str) -> Metrics:
    """The table under a heading."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = ROW.findall(section)
    assert len(rows) == section.count("\n|") - 2, "a row is not of the form of the others"
    return {name: (kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels, _ in rows}


def shown(text: str) -> Metrics:
    """What a scrape shows."""
    found: Metrics = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found[name] = (family.type, frozenset(labels))
    return found


def lines(names: Iterable[str]) -> str:
    """Names, for a person to compare."""
    return "\n".join(sorted(names))


@pytest.mark.skipif(sys.platform != "linux", reason="process_* metrics are read from /proc")
async def test_the_page_has_what_is_shown(tmp_path: Path) -> None:
    """A metric that was added, renamed or removed is so in the docs, too."""
    both = documented("Both")
    check = shown(rendering(lambda: collect_check(check_vitals(Clock())))().decode())
    assert check == documented("check") | both
    replica = ReplicaView(
        identity=ReplicaIdentity(replica_id="1"),
        connected=1.0,
        heard=1.0,
        applied=Revision(0),
        behind=None,
        lease=1.0,
    )
    async with api_vitals(FakePropagation(views=[replica]), tmp_path) as vitals:
        vitals.calls.report(CallState(method=METHOD, streaming=False, request_id="1"), "OK", 0.1)
        api = shown(rendering(lambda: collect_api(vitals))().decode())
    assert api == documented("api") | both


def test_names_follow_the_conventions() -> None:
    """Of Prometheus: base units, `_total` for counters alone, and our own begin with our name."""
    for heading in ("check", "api"):
        for name, (kind, _) in documented(heading).items():
            assert name.startswith("doorward_")
            assert name.endswith("_total") == (kind == "counter"), name
            assert kind != "histogram" or name.endswith("_seconds"), name
            assert not re.search(r"_(ms|millis|micros|us|minutes|kib|mb)\b", name)


def test_queries_are_of_metrics_that_there_are() -> None:
    """What docs/how-to/monitoring.md asks Prometheus for is shown."""
    text = (DOCS / "how-to" / "monitoring.md").read_text(encoding="utf-8")
    asked = set(re.findall(r"\bdoorward_\w+", text))
    known = documented("check") | documented("api") | documented("Both")
    assert asked
    assert lines(name for name in asked if name.removesuffix("_bucket") not in known) == ""
