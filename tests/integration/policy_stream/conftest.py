"""A policy stream over real gRPC, on a real database."""

import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorward_server.domain.credentials import PlatformKey
from doorward_server.storage import SqlStorage
from tests.support.policy import PolicyApi


@pytest.fixture
def key() -> PlatformKey:
    """A platform key of this test."""
    return PlatformKey("key-1", secrets.token_bytes(32))


@pytest.fixture
def api(storage: SqlStorage, key: PlatformKey) -> Iterator[PolicyApi]:
    """The api's end, not running yet; in a folder with a short name, as sockets want it."""
    with tempfile.TemporaryDirectory(prefix="dw-") as folder:
        yield PolicyApi(storage=storage, key=key, socket=Path(folder) / "api.sock")
