"""The API, called with a visitor's session: what comes of a call is api's decision."""

from collections.abc import AsyncGenerator
from typing import Any, Final, TypeVar

import grpc

from doorward.v1.app_service_pb2_grpc import AppServiceStub
from doorward.v1.audit_service_pb2_grpc import AuditServiceStub
from doorward.v1.token_service_pb2_grpc import TokenServiceStub
from doorward_server.web.console.failures import api_error

Q = TypeVar("Q")
A = TypeVar("A")

_SESSION: Final = "doorward-session"
_SECONDS: Final = 10.0
NARROWING_SECONDS: Final = 90.0
"""For calls that narrow access, which wait for every replica, for as long as the policy's lease."""


class Stubs:
    """The services of api, over one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.apps: Final = AppServiceStub(channel)
        self.audit: Final = AuditServiceStub(channel)
        self.tokens: Final = TokenServiceStub(channel)


class Api:
    """Makes calls with one session."""

    def __init__(self, stubs: Stubs, session: str) -> None:
        """*session*: its credential."""
        self.apps: Final = stubs.apps
        self.audit: Final = stubs.audit
        self.tokens: Final = stubs.tokens
        self._metadata = ((_SESSION, session),)
        self.renewed: str | None = None
        """The session's credential with a later end, once api has given one."""

    async def call(
        self, method: "grpc.aio.UnaryUnaryMultiCallable[Q, A]", request: Q, *, seconds: float = _SECONDS
    ) -> A:
        """The answer of a method such as `api.apps.GetApp`; raises `ApiError`."""
        running = method(request, metadata=self._metadata, timeout=seconds)
        try:
            answer = await running
            metadata = await running.initial_metadata()
        except grpc.aio.AioRpcError as error:
            raise api_error(error) from None
        for key, value in metadata:
            if key == _SESSION:
                self.renewed = str(value)
        return answer

    async def stream(
        self, method: "grpc.aio.UnaryStreamMultiCallable[Q, A]", request: Q, *, seconds: float
    ) -> AsyncGenerator[A, None]:
        """The answers of a method such as `api.apps.WatchApp`, until they end; raises `ApiError`.

        The end of *seconds* is an error of the code DEADLINE_EXCEEDED.
        """
        running: Any = method(request, metadata=self._metadata, timeout=seconds)
        try:
            async for answer in running:
                yield answer
        except grpc.aio.AioRpcError as error:
            raise api_error(error) from None
        finally:
            running.cancel()
