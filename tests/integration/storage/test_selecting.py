"""Listing apps by selector: SQL narrows, the domain decides."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward_server.domain.apps import App
from doorward_server.domain.selectors import Operator, Requirement, Selector, parse_selector
from doorward_server.services.ports import AppFilter, Position
from doorward_server.storage import SqlStorage
from tests.integration.storage import samples

_KEYS = ("tier", "Tier", "example.com/tier")
_VALUES = ("", "a", "A")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A storage, and the apps in it, newest first."""

    storage: SqlStorage
    apps: list[App]

    async def pages(self, which: AppFilter, *, size: int) -> AsyncIterator[list[App]]:
        """The pages of a list, to its end."""
        after = None
        async with self.storage.read() as work:
            while page := await work.apps.page(which, after=after, limit=size):
                yield list(page)
                after = Position(page[-1].create_time, page[-1].app_id)


@pytest_asyncio.fixture
async def catalogue(storage: SqlStorage) -> Catalogue:
    """One app for every way to label with three keys and three values, or without."""
    apps = [
        samples.app(
            labels={key: value for key, value in zip(_KEYS, values, strict=True) if value is not None},
            create_time=samples.NOON - timedelta(seconds=number // 2),
        )
        for number, values in enumerate(itertools.product((None, *_VALUES), repeat=len(_KEYS)))
    ]
    async with storage.write() as work:
        for app in apps:
            await work.apps.add(app)
    return Catalogue(storage, sorted(apps, key=lambda app: (app.create_time, app.app_id), reverse=True))


_selectors = samples.selectors(
    keys=st.sampled_from((*_KEYS, "absent")), values=st.sampled_from((*_VALUES, "b"))
)


# The catalogue is only read, so that examples can share it.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(selectors=st.lists(_selectors, max_size=2), size=st.sampled_from([1, 3, 10, 100]))
async def test_lists_what_the_evaluator_says(
    catalogue: Catalogue, selectors: list[Selector], size: int
) -> None:
    """All pages together are what the evaluator alone picks from all apps; all but the last one are full."""
    which = AppFilter(selectors=tuple(selectors))
    pages = [page async for page in catalogue.pages(which, size=size)]
    expected = [app for app in catalogue.apps if all(each.matches(app.labels) for each in selectors)]
    assert [app for page in pages for app in page] == expected
    assert all(len(page) == size for page in pages[:-1])


async def test_page_is_filled_from_far_away(storage: SqlStorage) -> None:
    """A page is filled also when a thousand entries lie between two that match."""
    needles = [samples.app(labels={}, create_time=samples.NOON - timedelta(days=days)) for days in (0, 5)]
    hay = [
        samples.app(labels={"hay": ""}, create_time=samples.NOON - timedelta(days=1, microseconds=number))
        for number in range(1_100)
    ]
    async with storage.write() as work:
        for app in (*needles, *hay):
            await work.apps.add(app)
    async with storage.read() as work:
        which = AppFilter(selectors=(parse_selector("!hay"),))
        assert await work.apps.page(which, after=None, limit=2) == needles


async def test_largest_selector(catalogue: Catalogue) -> None:
    """A selector with as many values as its length allows is answered."""
    values = frozenset({"a", *(f"v{number}" for number in range(1_000))})
    selector = Selector.of([Requirement("tier", Operator.IN, values)])
    pages = [page async for page in catalogue.pages(AppFilter(selectors=(selector,)), size=100)]
    assert pages == [[app for app in catalogue.apps if app.labels.get("tier") == "a"]]
