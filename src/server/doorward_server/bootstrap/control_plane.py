"""The control plane: api."""

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Final

from doorward_server.bootstrap.secrets import make_hasher
from doorward_server.domain.sessions import SessionSeals
from doorward_server.home import make_home
from doorward_server.metrics.api import ApiVitals, api_metrics
from doorward_server.platform_key import load_platform_key
from doorward_server.rpc.listening import Listening
from doorward_server.rpc.policy_service import PolicyServicer
from doorward_server.rpc.policy_stream import Terms
from doorward_server.rpc.server import ApiServer, Platform, UseCases
from doorward_server.rpc.tls import TlsFiles
from doorward_server.rpc.urls import AppUrls
from doorward_server.runtimes import ExternalRuntime, ProcessOptions, ProcessRuntime, Runtimes
from doorward_server.services.access_service import AccessService
from doorward_server.services.app_service import AppService
from doorward_server.services.audit_service import AuditService
from doorward_server.services.authentication import Authenticator
from doorward_server.services.boottime import boottime
from doorward_server.services.clock import utc_now
from doorward_server.services.leases import longest_lag
from doorward_server.services.lifecycle import Lifecycle
from doorward_server.services.liveness import TokenLiveness
from doorward_server.services.minting import Mint
from doorward_server.services.pages import Pager
from doorward_server.services.propagation import open_propagation
from doorward_server.services.replica_service import ReplicaService
from doorward_server.services.session_limit import SessionLimit, SessionRate
from doorward_server.services.session_service import SessionService, SessionTimes
from doorward_server.services.signals import Signals
from doorward_server.services.timed_publisher import TimedPublisher
from doorward_server.services.token_service import TokenService
from doorward_server.services.usage import TokenUsage
from doorward_server.settings import Settings
from doorward_server.stopping import stop_signals
from doorward_server.storage import open_storage

_log = logging.getLogger(__name__)

_SECONDS_TO_ANNOUNCE: Final = 60.0
"""More than it takes until the end of a process is seen, written down and announced to replicas."""


async def run_api(settings: Settings) -> None:
    """Serve the API until SIGINT or SIGTERM; then let running calls end and stop the apps."""
    with stop_signals() as stopped:
        async with control_plane(settings, listening=_listening(settings)) as server:
            await server.start()
            # What is there by now stays to the end. A snapshot makes many objects, and each full collection
            # that they set off would look at all the rest as well.
            gc.collect()
            gc.freeze()
            _log.info("Listening on %s, port %s", settings.api_listen_address, server.port)
            await stopped.wait()


@asynccontextmanager
async def control_plane(settings: Settings, *, listening: Listening) -> AsyncIterator[ApiServer]:
    """The control plane, wired and not yet listening. What it holds is released in the reverse order."""
    key = load_platform_key(settings.key_file)
    make_home(settings.run)
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(await open_storage(settings.database))
        hasher = make_hasher(settings)
        stack.callback(hasher.close)
        propagation = await stack.enter_async_context(
            open_propagation(storage=storage, lease=settings.policy_lease)
        )
        publisher = TimedPublisher(propagation)
        usage = TokenUsage(storage=storage, clock=utc_now)
        stack.push_async_callback(usage.close)
        signals = Signals()
        lifecycle = Lifecycle(storage=storage, propagation=publisher, signals=signals, clock=utc_now)
        runtime = _runtimes(settings, lifecycle)
        stack.push_async_callback(lifecycle.close)
        mint, pager = Mint(key, hasher), Pager(key.page_key())
        seals = SessionSeals(key.session_key())
        server = ApiServer(
            use_cases=UseCases(
                authenticator=Authenticator(
                    storage=storage, mint=mint, seals=seals, propagation=publisher, clock=utc_now
                ),
                apps=AppService(
                    storage=storage,
                    propagation=publisher,
                    lifecycle=lifecycle,
                    runtime=runtime,
                    signals=signals,
                    pager=pager,
                    clock=utc_now,
                    reserved_prefix=settings.reserved_label_prefix,
                ),
                tokens=TokenService(
                    storage=storage,
                    mint=mint,
                    propagation=publisher,
                    signals=signals,
                    pager=pager,
                    clock=utc_now,
                ),
                access=AccessService(storage=storage, pager=pager, clock=utc_now, mac_key_id=key.key_id),
                sessions=SessionService(
                    storage=storage,
                    seals=seals,
                    propagation=publisher,
                    clock=utc_now,
                    times=SessionTimes(
                        idle=timedelta(seconds=settings.session_idle_timeout),
                        max_age=timedelta(seconds=settings.session_max_age),
                    ),
                    limit=SessionLimit(
                        SessionRate(burst=settings.session_burst, per_minute=settings.sessions_per_minute),
                        clock=boottime,
                    ),
                    region_domains=settings.regions,
                ),
                audit=AuditService(storage=storage, pager=pager),
                replicas=ReplicaService(followers=propagation, pager=pager, clock=utc_now),
                liveness=TokenLiveness(storage=storage, signals=signals, clock=utc_now),
            ),
            policy=PolicyServicer(
                storage=storage,
                propagation=propagation,
                usage=usage,
                stream_key=key.stream_key(),
                mac_key_id=key.key_id,
                terms=Terms(
                    lease=settings.policy_lease,
                    heartbeat=settings.policy_heartbeat,
                    region_domains=settings.regions,
                ),
            ),
            platform=Platform(
                regions=settings.regions,
                reserved_prefix=settings.reserved_label_prefix,
                app_url=AppUrls(settings.regions, scheme=settings.public_scheme, port=settings.app_port),
            ),
            listening=listening,
            clock=utc_now,
            max_message_bytes=settings.max_message_bytes,
        )
        stack.push_async_callback(server.stop, settings.shutdown_grace)
        if settings.metrics_port is not None:
            vitals = ApiVitals(
                followers=propagation,
                publisher=publisher,
                hasher=hasher,
                storage=storage,
                calls=server.tally,
            )
            await stack.enter_async_context(
                api_metrics(vitals, address=settings.metrics_address, port=settings.metrics_port)
            )
        await lifecycle.start(runtime)
        yield server


def _runtimes(settings: Settings, lifecycle: Lifecycle) -> Runtimes:
    process = None
    if settings.process_runtime:
        process = ProcessRuntime(
            home=settings.home, sink=lifecycle.observe, options=process_options(settings)
        )
    return Runtimes(external=ExternalRuntime(sink=lifecycle.observe), process=process)


def process_options(settings: Settings) -> ProcessOptions:
    """How apps that are processes are run."""
    return ProcessOptions(
        stop_grace=settings.shutdown_grace,
        # Envoy repeats what a replica has said for a while longer.
        port_rest=longest_lag(settings.policy_lease) + settings.edge_cache_lifetime + _SECONDS_TO_ANNOUNCE,
    )


def _listening(settings: Settings) -> Listening:
    tls = None
    if settings.api_tls_certificate_file is not None and settings.api_tls_private_key_file is not None:
        tls = TlsFiles(
            certificate=settings.api_tls_certificate_file, private_key=settings.api_tls_private_key_file
        )
    return Listening(
        address=settings.api_listen_address,
        port=settings.api_port,
        unix_socket=settings.api_socket,
        tls=tls,
    )
