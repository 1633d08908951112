"""An api that answers what it is told to, over real gRPC, and notes what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import message_factory

from doorward.v1 import app_service_pb2, audit_service_pb2, session_service_pb2, token_service_pb2
from doorward.v1.error_reason_pb2 import ErrorReason
from doorward.v1.role_pb2 import ROLE_ADMIN, Role
from doorward.v1.token_pb2 import Token
from doorward_server.domain.errors import Violation
from doorward_server.rpc.failures import Failure

SESSION = "c1." + "A" * 108
"""The credential that it takes."""

_METHODS = {
    f"/{service.full_name}/{method.name}": method
    for file in (app_service_pb2, audit_service_pb2, session_service_pb2, token_service_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


@dataclass(eq=False)
class RefusedError(Exception):
    """What to answer in place of a message."""

    code: grpc.StatusCode
    reason: str = "INTERNAL"
    text: str = "no"
    fields: dict[str, str] = field(default_factory=dict)

    def status(self) -> grpc.Status:
        """As the real one sends it."""
        return Failure(
            code=self.code,
            reason=ErrorReason.Value(f"ERROR_REASON_{self.reason}"),
            message=self.text,
            violations=tuple(Violation(name, rule) for name, rule in self.fields.items()),
        ).status()


NO_SESSION = RefusedError(grpc.StatusCode.UNAUTHENTICATED, "CREDENTIAL_INVALID")
AWAY = RefusedError(grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE")

Answer = Callable[[Any], Any]


@dataclass
class FakeApi:
    """Its visitor is an ADMIN, unless it is told otherwise."""

    role: Role.ValueType = ROLE_ADMIN
    token: Token = field(
        default_factory=lambda: Token(token_id="0123456789ab", display_name="<b>first</b> admin")  # noqa: S106 - an id
    )
    answers: dict[str, Answer] = field(default_factory=dict)
    """By the name of the RPC: the answer to a request; for a stream, a list of them, and `None` to wait."""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    """What was asked with a good session, `WhoAmI` aside."""
    credentials: list[Any] = field(default_factory=list)
    """What was sent as a credential, by each call."""
    renewed: str | None = None
    """What is sent along with answers."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a stream has been hung up on."""

    def refuse(self, name: str, refused: RefusedError) -> None:
        """Answer an RPC with an error from now on."""

        def answer(_request: Any) -> Any:
            raise refused

        self.answers[name] = answer

    def asked(self, name: str) -> list[Any]:
        """The requests of one RPC."""
        return [request for called, request in self.calls if called == name]

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        """Implements `grpc.GenericRpcHandler`."""
        method = _METHODS.get(details.method)
        if method is None:
            return None
        metadata = dict(details.invocation_metadata)

        async def answer(request: Any, context: Any) -> Any:
            self.credentials.append(metadata.get("doorward-session"))
            try:
                return await self._answer(method.name, request, metadata, context)
            except RefusedError as refused:
                status = refused.status()
                trailing = (*status.trailing_metadata, ("doorward-request-id", "request-1"))
                await context.abort(status.code, status.details, trailing)

        async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
            try:
                for each in await answer(request, context):
                    if each is None:
                        await asyncio.Event().wait()
                    yield each
            finally:
                self.ended.set()

        decode = message_factory.GetMessageClass(method.input_type).FromString
        encode = message_factory.GetMessageClass(method.output_type).SerializeToString
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(stream, decode, encode)
        return grpc.unary_unary_rpc_method_handler(answer, decode, encode)

    async def _answer(self, name: str, request: Any, metadata: Any, context: Any) -> Any:
        if metadata.get("doorward-session") != SESSION:
            raise NO_SESSION
        if self.renewed is not None:
            await context.send_initial_metadata((("doorward-session", self.renewed),))
        if name == "WhoAmI" and name not in self.answers:
            self.token.role = self.role
            return token_service_pb2.WhoAmIResponse(token=self.token)
        self.calls.append((name, request))
        return self.answers[name](request)


@asynccontextmanager
async def serving(api: FakeApi, socket: Path) -> AsyncIterator[grpc.aio.Channel]:
    """Serve it on a Unix socket, and give a channel to it."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((api,))  # type: ignore[arg-type]  # what it is asked for is `service` alone
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"unix:{socket}") as channel:
            yield channel
    finally:
        await server.stop(0)
