"""A whole check process on its way out."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from doorward_server.domain.ids import Revision
from doorward_server.domain.tokens import Token
from doorward_server.platform_key import ensure_platform_key
from doorward_server.services.boottime import boottime
from doorward_server.storage import SqlStorage
from tests.integration.check.transport_peer import Peer
from tests.integration.storage.samples import token
from tests.support.policy import PolicyApi
from tests.support.waiting import eventually

LIFETIME = 1.0


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder with a path short enough for Unix sockets."""
    folder = Path(tempfile.mkdtemp(prefix="dw-"))
    yield folder
    shutil.rmtree(folder)


@asynccontextmanager
async def check_process(
    home: Path, api: PolicyApi, **settings: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`doorward check`, that follows *api*. It has ended when the block ends."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")},
        "DOORWARD_HOME": str(home),
        "DOORWARD_CHECK_API_TARGET": api.target,
        **{f"DOORWARD_{name.upper()}": value for name, value in settings.items()},
    }
    program = Path(sys.executable).parent / "doorward"
    process = await asyncio.create_subprocess_exec(program, "check", env=environment)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def serves(home: Path) -> bool:
    """Whether the check process says that it can decide, for which it has been granted a lease."""
    path = home / "run" / "check-0.sock"
    if not path.exists():
        return False
    with Peer(path) as peer:
        return peer.is_serving()


async def remove_token(storage: SqlStorage, entry: Token) -> Revision:
    """A change that narrows access."""
    async with storage.write() as unit:
        await unit.tokens.remove(entry.token_id)
        return await unit.policy.token_changed(entry.token_id)


async def test_it_is_waited_for_until_envoy_has_forgotten_its_decisions(
    storage: SqlStorage, home: Path
) -> None:
    """It says goodbye a lifetime of the edge cache after its last decision, not at the end of its lease."""
    entry = token()
    async with storage.write() as unit:
        await unit.tokens.add(entry)
        await unit.policy.token_changed(entry.token_id)
    key = ensure_platform_key(home / "platform-key")
    api = PolicyApi(storage=storage, key=key, socket=home / "api.sock", lease=60.0)
    settings = {"edge_cache_lifetime": str(LIFETIME)}
    async with api.running() as propagation, check_process(home, api, **settings) as process:
        await eventually(lambda: asyncio.to_thread(serves, home), what="the replica has a lease", within=30)
        stopped = boottime()
        process.send_signal(signal.SIGTERM)
        await eventually(lambda: asyncio.sleep(0, not (home / "run/check-0.sock").exists()), what="its end")
        async with asyncio.timeout(30):
            await propagation.wait_until_enforced(await remove_token(storage, entry))
        assert boottime() - stopped >= LIFETIME
        assert await asyncio.wait_for(process.wait(), 30) == 0
