"""Fixtures of the fault tests."""

from collections.abc import Generator, Iterator
from random import Random

import pytest

from doorward_server.check.remembering import LONGEST
from tests.chaos.terms import Terms
from tests.chaos.world import World, running_world
from tests.support.databases import database_url, migrated_sqlite, postgres, postgres_template, storage

__all__ = ["database_url", "migrated_sqlite", "postgres", "postgres_template", "storage"]

_TERMS = Terms()


def pytest_report_header() -> str:
    """How to repeat this run."""
    return f"chaos: {_TERMS}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say of a failed test how to repeat it: with several workers there is no header."""
    report = yield
    if report.failed:
        report.sections.append(("repeat with", str(_TERMS)))
    return report


@pytest.fixture(scope="session")
def terms() -> Terms:
    """Those of this run."""
    return _TERMS


@pytest.fixture
def rng(terms: Terms, request: pytest.FixtureRequest) -> Random:
    """The chance of this test, the same in every run with this seed."""
    return Random(f"{terms.seed} {request.node.name}")  # noqa: S311 - to be repeated


@pytest.fixture(scope="module")
def three(terms: Terms) -> Iterator[World]:
    """A platform with three check replicas."""
    with running_world(terms, replicas=3) as world:
        yield world


@pytest.fixture(scope="module")
def remembering(terms: Terms) -> Iterator[World]:
    """A platform with three, whose Envoy repeats an allow for as long as it may at most."""
    with running_world(terms, replicas=3, remembered=LONGEST) as world:
        yield world


@pytest.fixture(scope="module")
def one(terms: Terms) -> Iterator[World]:
    """A platform with one."""
    with running_world(terms) as world:
        yield world
