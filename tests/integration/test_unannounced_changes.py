"""Changes of the policy that nobody tells the streams of."""

import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorward_server.domain.credentials import PlatformKey
from doorward_server.storage import SqlStorage
from tests.integration.storage.samples import token
from tests.support.policy import PolicyApi


@pytest.fixture
def api(storage: SqlStorage) -> Iterator[PolicyApi]:
    """The api's end, not running yet; in a folder with a short name, as sockets want it."""
    key = PlatformKey("key-1", secrets.token_bytes(32))
    with tempfile.TemporaryDirectory(prefix="dw-") as folder:
        yield PolicyApi(storage=storage, key=key, socket=Path(folder) / "api.sock")


async def test_a_change_that_nobody_announces_is_found(storage: SqlStorage, api: PolicyApi) -> None:
    """A deletion whose commit broke off reaches the replicas with the next heartbeat all the same."""
    entry = token()
    async with storage.write() as work:
        await work.tokens.add(entry)
        await work.policy.token_changed(entry.token_id)
    async with api.running(), api.replica() as replica:
        await replica.fresh()
        async with storage.write() as work:
            await work.tokens.remove(entry.token_id)
            revision = await work.policy.token_changed(entry.token_id)
        await replica.reached(revision)
