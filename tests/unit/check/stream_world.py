"""The policy stream on a network that a test moves by hand, under a clock that a test moves by hand.

Both ends are the real ones: `PolicyServicer` and `Propagation` here, `PolicyFollower`, `PolicyIndex` and
`Lease` there. Faked are the database, gRPC, and time.
"""

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import grpc

from doorward_server.check.follower import PolicyFollower, StreamBrokenError
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.remembering import Remembering
from doorward_server.domain.apps import App
from doorward_server.domain.credentials import PlatformKey
from doorward_server.domain.decision import Decision, Reason, Request
from doorward_server.domain.ids import Revision
from doorward_server.domain.policy import PolicyApp
from doorward_server.policy.v1 import policy_pb2
from doorward_server.rpc.policy_service import STREAM_KEY, PolicyServicer
from doorward_server.rpc.policy_stream import Terms
from doorward_server.services.boottime import BootClock
from doorward_server.services.clock import utc_now
from doorward_server.services.ports import Change, EntryKind, PolicyHead, Storage, UnitOfWork
from doorward_server.services.propagation import Enforcement, Propagation
from doorward_server.services.usage import TokenUsage
from tests.integration.storage.samples import app
from tests.support.hand_moved_loop import HandMovedLoop

LEASE = 30.0
WELCOME = Terms(lease=LEASE, heartbeat=5.0, region_domains={}).welcome(
    PolicyHead(policy_id="policy-1", revision=Revision(0))
)
KEY = PlatformKey("key-1", b"k" * 32)

_BROKEN_OFF = (grpc.StatusCode.ABORTED, grpc.StatusCode.CANCELLED)


class FakePolicyStorage:
    """One app, whose label says by which revision it is."""

    def __init__(self, loop: HandMovedLoop) -> None:
        self.loop = loop
        self.revision = 0
        self.oldest = 0
        """Changes up to this one are no longer kept."""
        self.remembered: set[str] = set()
        self.fast = asyncio.Event()
        """Cleared while the database takes its time."""
        self.fast.set()
        self.app = app(labels={"revision": "0"})

    def commit(self) -> Revision:
        """Change the app."""
        self.revision += 1
        self.app = replace(self.app, labels={"revision": str(self.revision)})
        return Revision(self.revision)

    def toggle(self) -> None:
        """Be slow from now on, or fast again."""
        if self.fast.is_set():
            self.fast.clear()
        else:
            self.fast.set()
            self.loop.settle()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        await self.fast.wait()
        view = cast(UnitOfWork, FakeUnit(self))
        yield view
        await self.fast.wait()

    write = read


class FakeUnit:
    """A view of the moment it was made at. It is each of the repositories that the stream asks."""

    def __init__(self, storage: FakePolicyStorage) -> None:
        self.apps = FakeApps(storage.app)
        self.policy = FakePolicyLog(storage)
        self.replicas = FakeReplicas(storage.remembered)


@dataclass
class FakeApps:
    """The one app."""

    app: App

    async def get(self, app_id: str) -> App:
        assert app_id == self.app.app_id
        return self.app


class FakePolicyLog:
    """The changes of the one app."""

    def __init__(self, storage: FakePolicyStorage) -> None:
        self._app = storage.app
        self._revision, self._oldest = storage.revision, storage.oldest

    async def head(self) -> PolicyHead:
        return PolicyHead("policy-1", Revision(self._revision))

    async def since(self, revision: Revision, *, limit: int) -> Sequence[Change] | None:
        if revision < self._oldest:
            return None
        numbers = range(revision + 1, min(self._revision, revision + limit) + 1)
        return [Change(Revision(number), self._app.app_id, EntryKind.APP) for number in numbers]

    async def apps(self, _region: str | None) -> AsyncGenerator[list[PolicyApp], None]:
        entry = self._app.policy_entry()
        assert entry is not None
        yield [entry]

    async def tokens(self, _region: str | None, *, mac_key_id: str) -> AsyncGenerator[None, None]:
        for nothing in cast(tuple[None, ...], ()):
            yield nothing

    async def ended_sessions(self) -> AsyncGenerator[None, None]:
        for nothing in cast(tuple[None, ...], ()):
            yield nothing


@dataclass
class FakeReplicas:
    """Who is remembered."""

    remembered: set[str]

    async def add(self, replica_id: str) -> None:
        self.remembered.add(replica_id)

    async def remove(self, replica_id: str) -> None:
        self.remembered.discard(replica_id)

    async def all(self) -> list[str]:
        return sorted(self.remembered)


class AbortedError(Exception):
    """What a call ends with on the server's side."""


@dataclass(eq=False, repr=False)
class Connection:
    """One stream: what is under way in either direction, and gRPC's context on the server's side."""

    loop: HandMovedLoop
    to_api: deque[policy_pb2.StreamPolicyRequest] = field(default_factory=deque)
    to_replica: deque[policy_pb2.StreamPolicyResponse] = field(default_factory=deque)
    inbox: asyncio.Queue[policy_pb2.StreamPolicyRequest | None] = field(default_factory=asyncio.Queue)
    task: "asyncio.Task[None] | None" = None
    status: grpc.StatusCode | None = None
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared while the server's writes have to wait."""
    was_congested: bool = False
    tampered: bool = False
    """Whether a message to the replica was lost or doubled."""

    def __post_init__(self) -> None:
        self.flowing.set()

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return ((STREAM_KEY, KEY.stream_key().hex()),)

    async def write(self, response: policy_pb2.StreamPolicyResponse) -> None:
        await self.flowing.wait()
        copy = policy_pb2.StreamPolicyResponse()
        copy.CopyFrom(response)
        self.to_replica.append(copy)

    async def abort(self, code: grpc.StatusCode, text: str) -> None:
        self.status = code
        raise AbortedError(text)

    async def messages(self) -> AsyncGenerator[policy_pb2.StreamPolicyRequest, None]:
        """What has arrived."""
        while (message := await self.inbox.get()) is not None:
            yield message

    def deliver(self, count: int) -> None:
        """Let messages of the replica arrive, the oldest first."""
        for _ in range(min(count, len(self.to_api))):
            self.inbox.put_nowait(self.to_api.popleft())
            self.loop.settle()

    def lose(self) -> None:
        """Drop the oldest message that is under way to the replica."""
        self.to_replica.popleft()
        self.tampered = True

    def double(self) -> None:
        """Have the oldest message that is under way to the replica arrive again behind all others."""
        self.to_replica.append(self.to_replica[0])
        self.tampered = True

    def toggle(self) -> None:
        """Make the server's writes wait, or let them go on."""
        if self.flowing.is_set():
            self.flowing.clear()
            self.was_congested = True
        else:
            self.flowing.set()
            self.loop.settle()

    def hang_up(self) -> None:
        """The server learns that the replica is gone."""
        if self.task is not None:
            self.task.cancel()
            self.loop.settle()


class Api:
    """One life of the api's process."""

    def __init__(self, loop: HandMovedLoop, storage: FakePolicyStorage) -> None:
        self.loop = loop
        self.connections: list[Connection] = []
        self.waits: list[tuple[Revision, asyncio.Task[Enforcement]]] = []
        self.propagation = Propagation(
            storage=cast(Storage, storage), lease=LEASE, reach_time=5, clock=loop.time
        )
        self._recalling = loop.create_task(self.propagation.recall())
        loop.settle()
        self._servicer = PolicyServicer(
            storage=cast(Storage, storage),
            propagation=self.propagation,
            usage=TokenUsage(storage=cast(Storage, storage), clock=utc_now),
            stream_key=KEY.stream_key(),
            mac_key_id=KEY.key_id,
            terms=Terms(lease=LEASE, heartbeat=5, region_domains={"GRA": "app.gra.localhost"}),
        )

    @property
    def up(self) -> bool:
        """Whether it has read what it needs to know of its former life."""
        return self._recalling.done()

    def accept(self) -> Connection:
        """A new stream."""
        connection = Connection(self.loop)
        context = cast(Any, connection)
        connection.task = self.loop.create_task(self._servicer.StreamPolicy(connection.messages(), context))
        self.connections.append(connection)
        self.loop.settle()
        return connection

    def wait(self, revision: Revision) -> None:
        """A call that narrows access waits for the replicas."""
        task = self.loop.create_task(self.propagation.wait_until_enforced(revision))
        self.waits.append((revision, task))
        self.loop.settle()

    def keep_house(self) -> None:
        """Its housekeeping, now."""
        self.loop.create_task(self.propagation.forget_gone())
        self.loop.settle()

    def enforced(self) -> Revision:
        """The newest revision of which it said that it is in force everywhere."""
        done = [revision for revision, task in self.waits if task.done() and not task.cancelled()]
        return max(done, default=Revision(0))

    def kill(self) -> None:
        """SIGKILL."""
        tasks = [each.task for each in self.connections if each.task] + [task for _, task in self.waits]
        for task in (*tasks, self._recalling):
            task.cancel()
        self.loop.settle()

    def check_endings(self) -> None:
        """Streams end because a newer one took over, or the replica is gone or does not read: by no fault."""
        for each in self.connections:
            if each.task is not None and each.task.done() and not each.task.cancelled():
                stalled = each.was_congested and each.status is grpc.StatusCode.DEADLINE_EXCEEDED
                assert stalled or each.status in {None, *_BROKEN_OFF}
                assert isinstance(each.task.exception(), AbortedError | None)


class FakeEnvoy:
    """Remembers allows as envoy/edge_cache.lua does."""

    def __init__(self, loop: HandMovedLoop) -> None:
        self._loop = loop
        self._allows: list[tuple[float, int]] = []

    def ask(self, replica: "FakeReplica", app: App) -> None:
        """Ask about a request, and remember the answer if the replica says so."""
        decides_by = replica.decides_by(app)
        if decides_by is not None and replica.lets_remember():
            self._allows.append((self._loop.now + replica.lifetime, decides_by))

    def repeats(self) -> list[int]:
        """By which revisions it would let requests through without asking."""
        self._allows = [allow for allow in self._allows if self._loop.now < allow[0]]
        return [decided_by for _, decided_by in self._allows]


class FakeReplica:
    """One life of a check process, whose clock runs a little fast or slow."""

    def __init__(self, loop: HandMovedLoop, *, rate: float, lifetime: float) -> None:
        self._loop = loop
        self._rate = rate
        self._now: BootClock = lambda: 86_400 + rate * loop.now
        self.lifetime = lifetime
        self.lease = Lease(self._now)
        self.index = PolicyIndex(KEY.token_macs())
        self._remembering = Remembering(lifetime=lifetime, lease=self.lease)
        self.follower = PolicyFollower(
            index=self.index,
            lease=self.lease,
            region=None,
            clock=self._now,
            remembered=self._remembering.seconds,
        )
        self.connection: Connection | None = None

    def connect(self, api: Api) -> Connection:
        """Begin a stream."""
        self.connection = api.accept()
        self.connection.to_api.append(self.follower.hello())
        return self.connection

    def report(self, *, goodbye: bool = False) -> None:
        """Send a message."""
        if self.connection is not None:
            self.connection.to_api.append(self.follower.report(goodbye=goodbye))

    def receive(self) -> bool:
        """Take the oldest message that is under way to it, and acknowledge it if need be; False: none is."""
        if self.connection is None or not self.connection.to_replica:
            return False
        try:
            self.follower.receive(self.connection.to_replica.popleft())
        except StreamBrokenError:
            assert self.connection.tampered
            self.connection.hang_up()
            self.connection = None
            return False
        if self.follower.owes_acknowledgement:
            self.report()
        return True

    def exchange(self) -> None:
        """Let everything arrive that is under way in either direction, and what that leads to."""
        while self.connection is not None and (self.connection.to_api or self.connection.to_replica):
            self.connection.deliver(1_000)
            while self.receive():
                pass

    def leave(self) -> None:
        """Say goodbye, having stopped to decide and waited as a check process does."""
        self._loop.advance(self._remembering.seconds / self._rate)
        self.report(goodbye=True)

    def lets_remember(self) -> bool:
        """Whether an allow of this moment may be remembered."""
        request = Request(host="", path="/", secret=None)
        decision = Decision(Reason.PUBLIC_APP)
        leave = self._remembering.leave(decision, request, remove=())
        return leave != b"" and self._remembering.is_forgotten_by(math.inf, now=self._now())

    def decides_by(self, app: App) -> int | None:
        """By which revision of the app it would decide now; None: it would deny."""
        if not self.lease.fresh:
            return None
        entry = self.index.app(app.app_id)
        return 0 if entry is None else int(entry.labels["revision"])
