"""One running platform for all tests of the Python client, and a client of it."""

from collections.abc import Iterator

import pytest

import doorward
from tests.e2e.support.platform import Platform, running_platform


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """Api, check and Envoy, as `doorward up` runs them."""
    with running_platform() as platform:
        yield platform


@pytest.fixture
def admin(platform: Platform) -> Iterator[doorward.Client]:
    """A client with the first ADMIN token."""
    with doorward.Client(platform.endpoints.api_grpc, token=platform.admin_token) as client:
        yield client
