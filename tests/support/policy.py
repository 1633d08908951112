"""Both ends of the policy stream for tests: an api that can be killed, and replicas, real and raw."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import grpc

from doorward_server.check.follower import PolicyFollower
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.replica import Replica
from doorward_server.check.uses import TokenUses
from doorward_server.domain.credentials import PlatformKey
from doorward_server.domain.ids import RegionName
from doorward_server.policy.v1 import policy_pb2, policy_pb2_grpc
from doorward_server.rpc.policy_service import STREAM_KEY, PolicyServicer
from doorward_server.rpc.policy_stream import Terms
from doorward_server.services.boottime import boottime
from doorward_server.services.clock import utc_now
from doorward_server.services.ports import Storage
from doorward_server.services.propagation import Propagation, open_propagation
from doorward_server.services.usage import TokenUsage
from tests.support.waiting import eventually

REGIONS = {"GRA": "app.gra.localhost", "BHS": "app.bhs.localhost"}


@dataclass(kw_only=True)
class PolicyApi:
    """The api's end alone, on a Unix socket."""

    storage: Storage
    key: PlatformKey
    socket: Path
    lease: float = 30.0
    heartbeat: float = 0.1

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Propagation]:
        """Serve inside this block; its end is that of a killed process: streams break off."""
        async with AsyncExitStack() as stack:
            propagation = await stack.enter_async_context(
                open_propagation(storage=self.storage, lease=self.lease, reach_time=0.3)
            )
            usage = TokenUsage(storage=self.storage, clock=utc_now)
            stack.push_async_callback(usage.close)
            server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
            servicer = PolicyServicer(
                storage=self.storage,
                propagation=propagation,
                usage=usage,
                stream_key=self.key.stream_key(),
                mac_key_id=self.key.key_id,
                terms=Terms(lease=self.lease, heartbeat=self.heartbeat, region_domains=REGIONS),
            )
            policy_pb2_grpc.add_PolicyServiceServicer_to_server(servicer, server)
            server.add_insecure_port(self.target)
            await server.start()
            stack.push_async_callback(server.stop, None)
            yield propagation

    @property
    def target(self) -> str:
        """Where gRPC finds it."""
        return f"unix:{quote(str(self.socket))}"

    def open_channel(self) -> grpc.aio.Channel:
        """A connection of its own."""
        return grpc.aio.insecure_channel(self.target, options=(("grpc.use_local_subchannel_pool", 1),))

    @asynccontextmanager
    async def replica(
        self, *, region: RegionName | None = None, remembered: float = 0.0
    ) -> AsyncIterator["RunningReplica"]:
        """A whole replica but for its socket; it leaves with a goodbye when the block ends."""
        replica = RunningReplica(self, region=region, remembered=remembered)
        task = asyncio.create_task(replica.replica.follow())
        try:
            yield replica
        finally:
            replica.replica.leave()
            done, _ = await asyncio.wait({task}, timeout=5)
            task.cancel()
            assert done, "the replica did not leave"
            task.result()

    @asynccontextmanager
    async def raw(self, *, stream_key: str | None = None) -> AsyncIterator["RawStream"]:
        """A stream on which a test says what it wants; broken off at the end."""
        async with self.open_channel() as channel:
            key = self.key.stream_key().hex() if stream_key is None else stream_key
            call = policy_pb2_grpc.PolicyServiceStub(channel).StreamPolicy(metadata=((STREAM_KEY, key),))
            try:
                yield RawStream(call)
            finally:
                call.cancel()


class RunningReplica:
    """What a check process has inside."""

    def __init__(self, api: PolicyApi, *, region: RegionName | None, remembered: float) -> None:
        self.index = PolicyIndex(api.key.token_macs())
        self.lease = Lease(boottime)
        self.uses = TokenUses()
        self.messages = 0
        self.follower = PolicyFollower(
            index=self.index, lease=self.lease, region=region, clock=boottime, remembered=remembered
        )
        self.replica = Replica(
            follower=self.follower,
            uses=self.uses,
            open_channel=api.open_channel,
            stream_key=api.key.stream_key(),
            on_message=self._count,
        )

    def _count(self) -> None:
        self.messages += 1

    async def fresh(self) -> None:
        """Wait until it may decide."""

        async def look() -> bool:
            return self.lease.fresh

        await eventually(look, what="the replica has a lease")

    async def reached(self, revision: int) -> None:
        """Wait until it has applied a revision."""

        async def look() -> bool:
            return self.follower.revision >= revision

        await eventually(look, what=f"the replica has revision {revision}")


@dataclass
class RawStream:
    """A stream by hand."""

    call: "grpc.aio.StreamStreamCall[policy_pb2.StreamPolicyRequest, policy_pb2.StreamPolicyResponse]"
    sequence: int = 0
    replica_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    async def hello(self, *, region: str = "", policy_id: str = "", applied: int = 0) -> None:
        """The first message."""
        await self.send(
            applied_revision=applied,
            hello=policy_pb2.Hello(replica_id=self.replica_id, region=region, policy_id=policy_id),
        )

    async def send(self, *, sequence: int | None = None, **fields: object) -> None:
        """The next message."""
        self.sequence = self.sequence + 1 if sequence is None else sequence
        message = policy_pb2.StreamPolicyRequest(sequence=self.sequence, **fields)  # type: ignore[arg-type]
        # A stream that is over says why when it is read.
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await self.call.write(message)

    async def read(self) -> policy_pb2.StreamPolicyResponse:
        """The next answer; raises what the stream ended with."""
        async with asyncio.timeout(10):
            response = await self.call.read()
        assert isinstance(response, policy_pb2.StreamPolicyResponse), "the stream has ended"
        return response

    async def read_until_answered(self, sequence: int = 1) -> list[policy_pb2.StreamPolicyResponse]:
        """All answers up to the one of a message."""
        seen = [await self.read()]
        while seen[-1].answered_sequence < sequence:
            seen.append(await self.read())
        return seen

    async def ending(self) -> tuple[grpc.StatusCode, str]:
        """Read to the end, and answer its status."""
        async with asyncio.timeout(10):
            with suppress(grpc.aio.AioRpcError):
                while await self.call.read() is not grpc.aio.EOF:
                    pass
            return await self.call.code(), await self.call.details()
