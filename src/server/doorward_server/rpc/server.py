"""The gRPC server of api."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from doorward.v1 import (
    app_service_pb2,
    app_service_pb2_grpc,
    audit_service_pb2,
    audit_service_pb2_grpc,
    replica_service_pb2,
    replica_service_pb2_grpc,
    session_service_pb2,
    session_service_pb2_grpc,
    token_service_pb2,
    token_service_pb2_grpc,
)
from doorward_server.policy.v1 import policy_pb2, policy_pb2_grpc
from doorward_server.rpc.app_service import AppServicer
from doorward_server.rpc.audit_service import AuditServicer
from doorward_server.rpc.authentication import Authenticates, Guard
from doorward_server.rpc.call_layers import answer_errors, log_call, reporting
from doorward_server.rpc.call_tally import CallTally
from doorward_server.rpc.conversion.app_answers import AppAnswers, AppUrl
from doorward_server.rpc.conversion.app_requests import AppRequests
from doorward_server.rpc.conversion.regions import Regions
from doorward_server.rpc.conversion.token_requests import TokenRequests
from doorward_server.rpc.layers import LayeredInterceptor
from doorward_server.rpc.listening import Listening
from doorward_server.rpc.replica_service import ReplicaServicer
from doorward_server.rpc.running_calls import RunningCalls
from doorward_server.rpc.session_service import SessionServicer
from doorward_server.rpc.token_service import TokenServicer
from doorward_server.services.access_service import AccessService
from doorward_server.services.app_service import AppService
from doorward_server.services.audit_service import AuditService
from doorward_server.services.clock import Clock
from doorward_server.services.liveness import TokenLiveness
from doorward_server.services.replica_service import ReplicaService
from doorward_server.services.session_service import SessionService
from doorward_server.services.token_service import TokenService

_FILES: Final = (
    app_service_pb2,
    token_service_pb2,
    session_service_pb2,
    audit_service_pb2,
    replica_service_pb2,
    policy_pb2,
)

SERVICES: Final = tuple(
    service.full_name for file in _FILES for service in file.DESCRIPTOR.services_by_name.values()
)
"""The full names of the services that api serves, health and reflection aside."""

_MAX_METADATA_BYTES: Final = 16 * 1024
# Envoy carries the calls of all REST callers over a few connections.
_MAX_CONCURRENT_STREAMS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """What the servicers translate for."""

    authenticator: Authenticates
    apps: AppService
    tokens: TokenService
    access: AccessService
    sessions: SessionService
    audit: AuditService
    replicas: ReplicaService
    liveness: TokenLiveness


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What requests are parsed and answers are written by."""

    regions: Iterable[str]
    """The names of the regions."""
    reserved_prefix: str
    """What label keys of the platform begin with, such as `ovh/`."""
    app_url: AppUrl


class ApiServer:
    """Serves the API. `start` it once, and `stop` it."""

    def __init__(
        self,
        *,
        use_cases: UseCases,
        policy: policy_pb2_grpc.PolicyServiceServicer,
        platform: Platform,
        listening: Listening,
        clock: Clock,
        max_message_bytes: int = 1 << 20,
    ) -> None:
        """*max_message_bytes*: longer requests are refused before they are read (RESOURCE_EXHAUSTED)."""
        self._listening = listening
        self._calls = RunningCalls()
        self.tally = CallTally(_methods())
        """What the calls come to."""
        self._health = health.aio.HealthServicer()
        self._server = grpc.aio.server(
            interceptors=(
                LayeredInterceptor(
                    reporting(log_call, self.tally.report),
                    answer_errors,
                    self._calls.layer,
                    guard=Guard(use_cases.authenticator).layer,
                ),
            ),
            options=_options(max_message_bytes),
        )
        self._listens = False
        self.port: int | None = None
        """The port that is listened on, once started."""
        self._add(use_cases, policy, platform, clock)

    async def start(self) -> None:
        """Listen and serve; raises `ListenError`."""
        self.port = self._listening.bind(self._server)
        self._listens = True
        await self._server.start()
        for service in ("", *SERVICES):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

    async def stop(self, grace: float) -> None:
        """End open streams, give running calls *grace* seconds, then end them too. Safe to call again."""
        await self._health.enter_graceful_shutdown()
        self._calls.end_streams_of_callers()
        stopped = asyncio.ensure_future(self._server.stop(grace))
        idle = asyncio.ensure_future(self._calls.idle())
        try:
            await asyncio.wait({stopped, idle}, return_when=asyncio.FIRST_COMPLETED)
            self._calls.end_streams_of_replicas()
            await stopped
        finally:
            idle.cancel()
            if self._listens:
                self._listening.release()
                self._listens = False

    def _add(
        self,
        use_cases: UseCases,
        policy: policy_pb2_grpc.PolicyServiceServicer,
        platform: Platform,
        clock: Clock,
    ) -> None:
        server = self._server
        regions, app_answers = Regions(platform.regions), AppAnswers(platform.app_url)
        app_service_pb2_grpc.add_AppServiceServicer_to_server(
            AppServicer(
                apps=use_cases.apps,
                liveness=use_cases.liveness,
                requests=AppRequests(regions=regions, reserved_prefix=platform.reserved_prefix),
                answers=app_answers,
            ),
            server,
        )
        token_service_pb2_grpc.add_TokenServiceServicer_to_server(
            TokenServicer(
                tokens=use_cases.tokens,
                access=use_cases.access,
                requests=TokenRequests(regions=regions),
                app_answers=app_answers,
                clock=clock,
            ),
            server,
        )
        session_service_pb2_grpc.add_SessionServiceServicer_to_server(
            SessionServicer(sessions=use_cases.sessions), server
        )
        audit_service_pb2_grpc.add_AuditServiceServicer_to_server(
            AuditServicer(audit=use_cases.audit), server
        )
        replica_service_pb2_grpc.add_ReplicaServiceServicer_to_server(
            ReplicaServicer(replicas=use_cases.replicas), server
        )
        policy_pb2_grpc.add_PolicyServiceServicer_to_server(policy, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection((*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)


def _methods() -> Iterator[str]:
    """Every method that api serves, in full."""
    for file in (*_FILES, health_pb2, reflection_pb2):
        for service in file.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                yield f"/{service.full_name}/{method.name}"


def _options(max_message_bytes: int) -> tuple[tuple[str, int], ...]:
    return (
        # A second server on the port must fail, and not share the calls.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", -1),
        # Between these two gRPC refuses calls at random, so they are the same.
        ("grpc.max_metadata_size", _MAX_METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", _MAX_METADATA_BYTES),
        ("grpc.max_concurrent_streams", _MAX_CONCURRENT_STREAMS),
        ("grpc.server_handshake_timeout_ms", 10_000),
        # Finds out about callers of streams who went away without a word, and lets callers do the same.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    )
