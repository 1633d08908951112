"""Fixtures for pytest: `pytest_plugins = ["doorward.testing.fixtures"]` in `conftest.py` makes them known."""

from collections.abc import Iterator

import pytest

from doorward._client import Client
from doorward.testing._server import Server, server

__all__ = ["doorward_admin", "doorward_server"]


@pytest.fixture(scope="session")
def doorward_server() -> Iterator[Server]:
    """A real Doorward, shared by all tests of the run: each makes apps and tokens of its own."""
    with server() as running:
        yield running


@pytest.fixture
def doorward_admin(doorward_server: Server) -> Iterator[Client]:
    """A client of it that may do everything."""
    with doorward_server.client() as client:
        yield client
