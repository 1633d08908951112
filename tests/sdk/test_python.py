"""The journeys of all languages, in Python. What is Python's own is in `tests/sdk/python`."""

import sys
from collections.abc import Callable

from tests.sdk.support.building import ROOT
from tests.sdk.support.driver import Driver, Language
from tests.sdk.support.journey import Case, run, selected, tabled
from tests.sdk.support.scene import Scene

DRIVER = [sys.executable, "-m", "tests.sdk.support.python_driver"]
BLOCKING = Language(name="Python", command=DRIVER, folder=ROOT, user_agent="doorward-python/* grpc-python/*")
AWAITED = Language(
    name="Python, awaited",
    command=[*DRIVER, "async"],
    folder=ROOT,
    user_agent="doorward-python/* grpc-python-asyncio/*",
)


@tabled(selected(web=False))
def test_journey(case: Case, drivers: Callable[[Language], Driver], stage: Scene) -> None:
    """What the table says happens, happens in Python."""
    run(case, drivers(BLOCKING), stage)


@tabled(selected(web=False))
def test_journey_that_is_awaited(case: Case, drivers: Callable[[Language], Driver], stage: Scene) -> None:
    """What the table says happens, happens with the client that is awaited."""
    run(case, drivers(AWAITED), stage)
