"""The conformance kit and the journey, on a platform whose Envoy remembers allows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import test_journey
from tests.e2e.conformance.case import Case
from tests.e2e.conformance.examine import examine, latecomers, missing
from tests.e2e.conformance.table import CASES
from tests.e2e.support.doorward_target import DoorwardSetup, doorward_setup
from tests.support.waiting import wait_for

# An outage of check is noticed a lifetime later by those who were allowed before it: see test_edge_cache.py.
ATTACKS = [case for case in CASES if not case.name.startswith("outage/")]


@pytest.fixture(scope="module")
def setup() -> Iterator[DoorwardSetup]:
    """One platform for all the cases, with the edge cache at its longest."""
    with doorward_setup(edge_cache_lifetime="1", envoy_concurrency="2") as setup:
        yield setup


@pytest.mark.parametrize("case", ATTACKS, ids=lambda case: case.name)
def test_case(setup: DoorwardSetup, case: Case) -> None:
    """What was allowed a moment ago changes no answer, and lets nothing else through."""
    assert not missing(case, setup.target)
    findings = examine(case, setup.target)
    assert not findings, "\n".join(findings)


def test_nothing_reaches_an_app_late(setup: DoorwardSetup) -> None:
    """A request that was refused is not sent on afterwards either."""
    assert latecomers(setup.target) == []


def test_the_journey_with_the_edge_cache(setup: DoorwardSetup, tmp_path: Path) -> None:
    """Each step of the README is as promised."""
    test_journey.test_the_journey(setup.platform, test_journey.Hello(), tmp_path)


def test_the_cache_was_in_use(setup: DoorwardSetup) -> None:
    """Many of these requests were answered from memory; the last test of this module."""
    wait_for(lambda: setup.platform.log.read_text().count('"cached":true') > 100, what="hits in the log")
