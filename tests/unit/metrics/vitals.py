"""What the metrics are made of, without processes, wires and databases."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from doorward_server.check.follower import PolicyFollower
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.process import Vitals
from doorward_server.check.tally import CheckTally
from doorward_server.domain.credentials import PlatformKey
from doorward_server.metrics.api import ApiVitals
from doorward_server.rpc.call_tally import CallTally
from doorward_server.services.hashing import Argon2Cost, SecretHasher
from doorward_server.services.timed_publisher import TimedPublisher
from doorward_server.storage import SqlStorage
from doorward_server.storage.engines import Engines
from doorward_server.storage.urls import parse_database_url
from tests.support.fakes import FakePropagation

METHOD = "/doorward.v1.AppService/GetApp"


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def check_vitals(clock: Clock) -> Vitals:
    """Those of a replica that has no policy yet."""
    index, lease = PolicyIndex(PlatformKey("test", bytes(32)).token_macs()), Lease(clock)
    follower = PolicyFollower(index=index, lease=lease, region=None, clock=clock)
    return Vitals(tally=CheckTally(), lease=lease, index=index, follower=follower)


@asynccontextmanager
async def api_vitals(propagation: FakePropagation, folder: Path) -> AsyncIterator[ApiVitals]:
    """Those of an api that was never called; the database is not opened."""
    database = parse_database_url(f"sqlite+aiosqlite:///{folder}/doorward.db")
    hasher = SecretHasher(Argon2Cost(memory_kib=8, time_cost=1), queue_length=1)
    async with SqlStorage(database, Engines(database)) as storage:
        yield ApiVitals(
            followers=propagation,
            publisher=TimedPublisher(propagation),
            hasher=hasher,
            storage=storage,
            calls=CallTally([METHOD]),
        )
    hasher.close()
