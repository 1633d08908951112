"""The check process as it runs: `doorward check`, its socket, and a control plane that comes and goes."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from doorward_server.domain.apps import AppState, AppStatus
from doorward_server.domain.credentials import mint_secret
from doorward_server.domain.policy import Address
from doorward_server.platform_key import ensure_platform_key
from doorward_server.storage import SqlStorage, open_storage
from tests.e2e.support.tether import tethered
from tests.integration.check.transport_peer import Peer
from tests.integration.storage.samples import app, generation, token
from tests.support.policy import PolicyApi
from tests.support.waiting import eventually
from tests.unit.check.answer import Answer, read_answer
from tests.unit.check.check_requests import check_request
from tests.unit.check.small_replica import bearer

PATIENCE = 30.0
"""Seconds that a process may take to start or to end, on a busy machine."""


@dataclass(frozen=True, slots=True)
class Replica:
    """A running check process."""

    process: "subprocess.Popen[bytes]"
    socket: Path
    log: Path

    async def listens(self) -> bool:
        """Whether its socket is there."""
        assert self.process.poll() is None, self.log.read_text()
        return self.socket.exists()

    async def serves(self) -> bool:
        """What its health check says."""
        return await asyncio.to_thread(self._is_serving)

    async def answer(self, request: bytes) -> Answer:
        """What it answers."""
        return read_answer(await asyncio.to_thread(self._call, request))

    async def ended(self) -> int:
        """Wait for its end, and answer its status."""
        return await asyncio.to_thread(self.process.wait, PATIENCE)

    def _is_serving(self) -> bool:
        with Peer(self.socket) as peer:
            return peer.is_serving()

    def _call(self, request: bytes) -> bytes:
        with Peer(self.socket) as peer:
            return peer.call(request)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for Unix sockets."""
    with tempfile.TemporaryDirectory(prefix="dw-") as path:
        yield Path(path)


@pytest_asyncio.fixture
async def storage(migrated_sqlite: Path, folder: Path) -> AsyncIterator[SqlStorage]:
    """The control plane's database. Which one it is, a replica cannot know."""
    shutil.copy(migrated_sqlite, folder / "doorward.db")
    async with await open_storage(f"sqlite:///{folder / 'doorward.db'}") as opened:
        yield opened


@pytest.fixture
def api(storage: SqlStorage, folder: Path) -> PolicyApi:
    """The control plane's end, not running yet."""
    key = ensure_platform_key(folder / "platform-key")
    return PolicyApi(storage=storage, key=key, socket=folder / "api.sock")


@pytest_asyncio.fixture
async def visit(api: PolicyApi) -> bytes:
    """A request with a token, to an app that it opens."""
    status = AppStatus(state=AppState.RUNNING, address=Address(host="127.0.0.1", port=9000))
    opened, opening = app(status=status), token()
    secret = mint_secret(opening.token_id)
    mac = api.key.token_macs().mac(secret)
    opening = replace(opening, generations=(generation(mac=mac, mac_key_id=api.key.key_id),))
    async with api.storage.write() as unit:
        await unit.apps.add(opened)
        await unit.policy.app_changed(opened.app_id)
        await unit.tokens.add(opening)
        await unit.policy.token_changed(opening.token_id)
    return check_request(host=f"{opened.app_id}.app.gra.localhost", headers=[bearer(secret)])


def start(folder: Path, *, log: str = "check.log") -> Replica:
    """Start `doorward check`, with the key and the control plane of the folder, and a log there."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
    environment |= {"DOORWARD_HOME": str(folder), "DOORWARD_RUN_DIR": str(folder)}
    with (folder / log).open("wb") as out:
        process = subprocess.Popen(
            tethered([sys.executable, "-m", "doorward_server", "check"]),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    return Replica(process, folder / "check-0.sock", folder / log)


@pytest_asyncio.fixture
async def replica(api: PolicyApi, folder: Path) -> AsyncIterator[Replica]:
    """A replica that listens; killed at the end if it still runs."""
    started = start(folder)
    try:
        await eventually(started.listens, what="the socket", within=PATIENCE)
        yield started
    finally:
        started.process.kill()
        await started.ended()


async def until(replica: Replica, *, serves: bool) -> None:
    """Wait until the replica's health check says so."""

    async def look() -> bool:
        return await replica.serves() is serves

    await eventually(look, what=f"serving: {serves}", within=PATIENCE)


async def test_it_decides_once_it_has_the_policy(api: PolicyApi, replica: Replica, visit: bytes) -> None:
    """Until the control plane is there, it says that it does not serve, and denies."""
    assert not await replica.serves()
    answer = await replica.answer(visit)
    assert (answer.status, answer.facts) == (503, {"reason": "STALE_POLICY"})
    async with api.running():
        await until(replica, serves=True)
        answer = await replica.answer(visit)
        assert (answer.status, answer.facts["reason"]) == (200, "ALLOWED")


async def test_it_denies_when_the_control_plane_is_gone(
    api: PolicyApi, replica: Replica, visit: bytes
) -> None:
    """When the lease has run out it says so and denies; when the control plane is back, it decides again."""
    api.lease = 1.0
    async with api.running():
        await until(replica, serves=True)
    await until(replica, serves=False)
    assert (await replica.answer(visit)).facts == {"reason": "STALE_POLICY"}
    api.lease = 30.0
    async with api.running():
        await until(replica, serves=True)
        assert (await replica.answer(visit)).status == 200


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
async def test_it_leaves_when_it_is_told_to(api: PolicyApi, replica: Replica, told: signal.Signals) -> None:
    """Status 0, no socket, and nobody waits for it: the control plane has had its goodbye."""
    async with api.running():
        await until(replica, serves=True)
        assert len(await remembered(api)) == 1
        replica.process.send_signal(told)
        assert await replica.ended() == 0
        assert not replica.socket.exists()
        await eventually(lambda: forgotten(api), what="the replica is forgotten")


async def test_it_leaves_without_a_control_plane_as_well(replica: Replica) -> None:
    """One that looks for its control plane in vain ends as soon as it is told to."""
    replica.process.send_signal(signal.SIGTERM)
    assert await replica.ended() == 0
    assert not replica.socket.exists()


async def test_a_second_one_does_not_take_the_socket(replica: Replica, folder: Path) -> None:
    """It ends with status 1 and a reason, and the first one goes on."""
    second = start(folder, log="second.log")
    try:
        assert await second.ended() == 1
    finally:
        second.process.kill()
    assert f"another server is listening on {replica.socket}" in second.log.read_text()
    assert not await replica.serves()


async def remembered(api: PolicyApi) -> list[str]:
    """The replicas that the control plane would wait for."""
    async with api.storage.read() as unit:
        return list(await unit.replicas.all())


async def forgotten(api: PolicyApi) -> bool:
    """Whether there is none."""
    return not await remembered(api)
