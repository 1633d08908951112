"""Fixtures of the end-to-end tests: the real Envoy, and apps behind it."""

from collections.abc import Iterator

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.platform import Platform, running_platform
from tests.e2e.support.real_stack import RealStack, real_stack
from tests.e2e.support.stack import FakeStack, Published, fake_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[RealStack]:
    """The platform as users run it, for every test that sees it from outside."""
    with real_stack() as stack:
        yield stack


@pytest.fixture(scope="session")
def glass() -> Iterator[FakeStack]:
    """The same Envoy before a check and an api that a test can look into."""
    with fake_stack() as stack:
        yield stack


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """One of the module's own, as users run it: it counts what is there, or changes what all share."""
    with running_platform() as platform:
        yield platform


@pytest.fixture
def app() -> Iterator[RecordingApp]:
    """An app that says hello."""
    with RecordingApp() as app:
        yield app


@pytest.fixture
def published(stack: RealStack, app: RecordingApp) -> Published:
    """That app behind Envoy."""
    return stack.publish("127.0.0.1", app.port)


@pytest.fixture
def seen_through(glass: FakeStack, app: RecordingApp) -> Published:
    """That app behind the Envoy whose check and api can be looked into."""
    return glass.publish("127.0.0.1", app.port)
