"""The check process: one socket, one copy of the policy."""

import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc

from doorward_server.check.collecting import collect_briefly
from doorward_server.check.follower import PolicyFollower
from doorward_server.check.handler import CheckHandler
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.readiness import Readiness
from doorward_server.check.remembering import Remembering
from doorward_server.check.replica import Replica
from doorward_server.check.sessions import SessionRenewal
from doorward_server.check.tally import CheckTally
from doorward_server.check.transports import Handler, Limits, TransportError, TransportKind, open_transport
from doorward_server.check.uses import TokenUses
from doorward_server.domain.credentials import PlatformKey
from doorward_server.domain.ids import RegionName
from doorward_server.domain.sessions import SessionSeals
from doorward_server.services.boottime import boottime
from doorward_server.stopping import stop_signals

_log = logging.getLogger(__name__)

_GOODBYE_SECONDS: Final = 1.0
_SWITCH_SECONDS: Final = 0.0005
"""How long the stream's thread may keep the interpreter to itself while a Check waits; Python's default of
5 ms would show in every Check that comes while a snapshot is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What can be seen of a check process while it runs."""

    tally: CheckTally
    lease: Lease
    index: PolicyIndex
    follower: PolicyFollower


Watch = Callable[[Vitals], AbstractAsyncContextManager[None]]
"""Watches a check process for as long as the block lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckConfig:
    """What a check process is told."""

    key: PlatformKey
    api_target: str
    """gRPC target of api, such as `unix:/run/doorward/api.sock` or `api.example:8081`."""
    api_root_certificates: bytes | None = None
    """PEM certificates that are trusted to name api. None: no TLS, for an api on this machine."""
    display_name: str = ""
    """What people call this replica."""
    region: RegionName | None = None
    """The region whose apps it answers for. None: every region."""
    socket: Path
    """The Unix socket for Envoy."""
    transport: TransportKind = "auto"
    login_enabled: bool = False
    """Whether browsers without a token are sent to the login page."""
    edge_cache_lifetime: float = 0.0
    """For how many seconds Envoy may repeat an allow without asking."""
    session_idle_timeout: float = 1800.0
    """Seconds after which a session ends that nobody uses."""
    limits: Limits = field(default_factory=Limits)
    watch: Watch | None = None
    """Watches the process. None: nobody does, and decisions are not timed."""


async def run_check(config: CheckConfig) -> int:
    """Answer Checks until SIGTERM or SIGINT; answers the process's exit status.

    Envoy is told that the process serves once it has the policy. It ends in this order: calls in flight are
    answered, the socket goes, Envoy forgets what it remembers of them, and only then does api learn that
    nobody needs to wait for this replica.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    collect_briefly()
    seals = SessionSeals(config.key.session_key())
    lease, index, uses = Lease(boottime), PolicyIndex(config.key.token_macs(), seals), TokenUses()
    tally = CheckTally()
    remembering = Remembering(lifetime=config.edge_cache_lifetime, lease=lease)
    handler = CheckHandler(
        policy=index,
        lease=lease,
        uses=uses,
        login_enabled=config.login_enabled,
        renewal=SessionRenewal(seals, idle=config.session_idle_timeout),
        tally=tally,
        remembering=remembering,
    )
    follower = PolicyFollower(
        index=index,
        lease=lease,
        region=config.region,
        clock=boottime,
        display_name=config.display_name,
        remembered=remembering.seconds,
    )
    if config.watch is None:
        return await _answer(config, handler=handler, follower=follower, lease=lease, uses=uses)
    async with config.watch(Vitals(tally=tally, lease=lease, index=index, follower=follower)):
        return await _answer(config, handler=tally.timed(handler), follower=follower, lease=lease, uses=uses)


async def _answer(
    config: CheckConfig, *, handler: Handler, follower: PolicyFollower, lease: Lease, uses: TokenUses
) -> int:
    """Answer Checks until SIGTERM or SIGINT; answers the process's exit status."""
    try:
        transport = open_transport(
            config.transport, path=config.socket, handler=handler, limits=config.limits
        )
        transport.start()
    except TransportError as error:
        _log.error("%s", error)
        return 1
    readiness = Readiness(lease=lease, set_serving=transport.set_serving)
    replica = Replica(
        follower=follower,
        uses=uses,
        open_channel=lambda: open_channel(config),
        stream_key=config.key.stream_key(),
        on_message=readiness.update,
    )
    following = asyncio.create_task(replica.follow())
    try:
        with stop_signals() as stopped:
            stopping = asyncio.create_task(stopped.wait())
            await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
    finally:
        readiness.close()
        await asyncio.to_thread(transport.close)
        await asyncio.sleep(follower.remembered)
        replica.leave()
        await asyncio.wait({following}, timeout=_GOODBYE_SECONDS)
        following.cancel()
        await asyncio.wait({following})
    if not following.cancelled():
        # It never ends by itself, but by a defect, which is raised here.
        following.result()
    return 0


def open_channel(config: CheckConfig) -> grpc.aio.Channel:
    """A connection to api, which shares nothing with the one before it."""
    options = (
        ("grpc.use_local_subchannel_pool", 1),
        # Without TLS a proxy from the environment would read the stream's key.
        ("grpc.enable_http_proxy", 0),
    )
    if config.api_root_certificates is None:
        return grpc.aio.insecure_channel(config.api_target, options=options)
    credentials = grpc.ssl_channel_credentials(config.api_root_certificates)
    return grpc.aio.secure_channel(config.api_target, credentials, options=options)
