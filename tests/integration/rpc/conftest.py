"""The API over real gRPC, in front of the use cases on a real database."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from doorward.v1 import (
    app_pb2,
    app_service_pb2,
    app_service_pb2_grpc,
    audit_service_pb2_grpc,
    replica_service_pb2_grpc,
    role_pb2,
    session_service_pb2_grpc,
    token_pb2,
    token_service_pb2,
    token_service_pb2_grpc,
)
from doorward.v1.error_reason_pb2 import ErrorReason
from doorward_server.domain.apps import App
from doorward_server.domain.roles import Role
from doorward_server.policy.v1 import policy_pb2_grpc
from doorward_server.rpc.listening import Listening
from doorward_server.rpc.server import ApiServer, Platform, UseCases
from doorward_server.rpc.urls import AppUrls
from tests.integration.services.conftest import World, world

__all__ = ["world"]

REGIONS = {"GRA": "app.gra.localhost", "BHS": "app.bhs.localhost"}

Metadata = tuple[tuple[str, str | bytes], ...]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An error as a caller sees it."""

    code: grpc.StatusCode
    text: str
    reason: str
    """Without the enum's prefix."""
    metadata: dict[str, str]
    violations: dict[str, str]
    """Field to rule."""
    retry_after: float | None
    sent_metadata: dict[str, str | bytes]

    @classmethod
    def of(cls, error: grpc.aio.AioRpcError) -> "Refusal":
        """Read what the server sent."""
        # It asks for no more than the error has.
        status = rpc_status.from_call(cast("grpc.Call", error)) or status_pb2.Status()
        info, bad, retry = (
            error_details_pb2.ErrorInfo(),
            error_details_pb2.BadRequest(),
            error_details_pb2.RetryInfo(),
        )
        delay = None
        for detail in status.details:
            detail.Unpack(info)
            detail.Unpack(bad)
            if detail.Unpack(retry):
                delay = retry.retry_delay.ToTimedelta().total_seconds()
        assert info.domain == "doorward.dev", f"no ErrorInfo with {error.code()}: {error.details()}"
        return cls(
            code=error.code(),
            text=error.details() or "",
            reason=info.reason.removeprefix("ERROR_REASON_"),
            metadata=dict(info.metadata),
            violations={each.field: each.description for each in bad.field_violations},
            retry_after=delay,
            sent_metadata=dict(error.trailing_metadata()),
        )


@dataclass(kw_only=True)
class Api:
    """A running API and a channel to it."""

    world: World
    server: ApiServer
    channel: grpc.aio.Channel
    admin: str = field(repr=False)
    """The secret of an ADMIN token."""
    last_metadata: dict[str, str | bytes] = field(default_factory=dict)
    """The initial metadata of the last answer."""

    def __post_init__(self) -> None:
        self.apps = app_service_pb2_grpc.AppServiceStub(self.channel)
        self.tokens = token_service_pb2_grpc.TokenServiceStub(self.channel)
        self.sessions = session_service_pb2_grpc.SessionServiceStub(self.channel)
        self.audit = audit_service_pb2_grpc.AuditServiceStub(self.channel)
        self.replicas = replica_service_pb2_grpc.ReplicaServiceStub(self.channel)

    async def call(self, method: Any, request: Message, *, token: str | None = None) -> Any:
        """Call as *token*, by default the administrator; gives the answer, raises `AioRpcError`."""
        running = method(request, metadata=bearer(self.admin if token is None else token), timeout=20)
        response = await running
        self.last_metadata = dict(await running.initial_metadata())
        return response

    async def refused(
        self,
        method: Any,
        request: Message | bytes,
        *,
        token: str | None = None,
        metadata: Metadata | None = None,
    ) -> Refusal:
        """Call, and expect an error."""
        if metadata is None:
            metadata = bearer(self.admin if token is None else token)
        running = method(request, metadata=metadata, timeout=20)
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await (drained(running) if hasattr(running, "read") else running)
        return Refusal.of(failed.value)

    async def running_app(self, *, labels: dict[str, str] | None = None, name: str = "hello") -> App:
        """An app that runs."""
        return await self.world.app(name, labels)

    async def token(
        self, role: Role = Role.READ_ONLY, *, selector: str | None = None
    ) -> tuple[token_pb2.Token, str]:
        """A token for apps in GRA, and its secret."""
        request = token_service_pb2.CreateTokenRequest(
            token=token_pb2.Token(
                display_name="demo", role=role_pb2.Role.Value(f"ROLE_{role.name}"), region="GRA"
            )
        )
        if selector is None:
            request.token.all_apps = True
        else:
            request.token.label_selector = selector
        response = await self.call(self.tokens.CreateToken, request)
        return response.token, response.secret


class SilentPolicy(policy_pb2_grpc.PolicyServiceServicer):
    """A policy stream that says nothing and stays open."""

    async def StreamPolicy(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        async for _request in requests:
            continue
        nothing: tuple[Any, ...] = ()
        for never in nothing:
            yield never


async def drained(stream: Any) -> list[Any]:
    """Every message of a stream that ends."""
    messages = []
    while (message := await stream.read()) is not grpc.aio.EOF:
        messages.append(message)
    return messages


def bearer(secret: str) -> Metadata:
    """What a client sends along."""
    return (("authorization", f"Bearer {secret}"),)


def new_app(**changes: Any) -> app_service_pb2.CreateAppRequest:
    """A request that creates an external app."""
    spec = app_pb2.AppSpec(external=app_pb2.ExternalSource(address="127.0.0.1:9"))
    app = app_pb2.App(display_name="hello", region="GRA", labels={"group": "A"}, spec=spec)
    app.MergeFrom(app_pb2.App(**changes))
    return app_service_pb2.CreateAppRequest(app=app)


def all_reasons() -> set[str]:
    """The names of every error reason, without the enum's prefix."""
    return {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()}  # noqa: SIM118 - no mapping


def server_for(world: World, listening: Listening, *, max_message_bytes: int = 1 << 20) -> ApiServer:
    """A server in front of the use cases of *world*."""
    return ApiServer(
        use_cases=UseCases(
            authenticator=world.authenticator,
            apps=world.apps,
            tokens=world.tokens,
            access=world.access,
            sessions=world.sessions,
            audit=world.audit,
            replicas=world.replicas,
            liveness=world.liveness,
        ),
        policy=SilentPolicy(),
        platform=Platform(
            regions=REGIONS,
            reserved_prefix="ovh/",
            app_url=AppUrls(REGIONS, scheme="http", port=8080),
        ),
        listening=listening,
        clock=world.clock,
        max_message_bytes=max_message_bytes,
    )


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[Api]:
    """Serve *world* on a free port."""
    server = server_for(world, Listening(port=0))
    await server.start()
    try:
        _, admin = await world.token("admin", role=Role.ADMIN)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            yield Api(world=world, server=server, channel=channel, admin=admin.reveal())
    finally:
        await server.stop(0)


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A fresh SQLite database: that the use cases work on PostgreSQL is shown where they are tested."""
    file = tmp_path / "doorward.db"
    shutil.copy(migrated_sqlite, file)
    return f"sqlite:///{file}"


@pytest.fixture
async def api(world: World) -> AsyncIterator[Api]:
    """The API with no app and one ADMIN token."""
    async with serving(world) as made:
        yield made
