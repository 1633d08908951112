"""The journeys of all languages, in Python. What is Python's own is in `tests/sdk/python`."""

import sys
from collections.abc import Callable

from tests.sdk.support.building import ROOT
from tests.sdk.support.driver import Driver, Language
from tests.sdk.support.journey import Case, run, selected, tabled
from tests.sdk.support.scene import Scene

PYTHON = Language(
    name="Python",
    command=[sys.executable, "-m", "tests.sdk.support.python_driver"],
    folder=ROOT,
    user_agent="doorward-python/* grpc-python/*",
)


@tabled(selected(web=False))
def test_journey(case: Case, drivers: Callable[[Language], Driver], stage: Scene) -> None:
    """What the table says happens, happens in Python."""
    run(case, drivers(PYTHON), stage)
