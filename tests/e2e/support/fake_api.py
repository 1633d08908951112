"""An api that answers what it was told, and keeps the calls it saw."""

from __future__ import annotations  # grpc.RpcMethodHandler takes arguments in its stubs alone

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message

from doorward.v1 import app_pb2, app_service_pb2, token_pb2, token_service_pb2

TRICKY_NAME = '"}{\\ é\n'
"""A display name with every character that JSON has to escape."""

_APPS = "doorward.v1.AppService"
_TOKENS = "doorward.v1.TokenService"


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the api saw it."""

    method: str
    request: Any
    metadata: dict[str, str | bytes]


class FakeApi:
    """Some of the RPCs, on a Unix socket."""

    def __init__(self, path: Path, *, credentials: grpc.ServerCredentials | None = None) -> None:
        self.calls: list[Call] = []
        self.before_answer: Callable[[grpc.ServicerContext], None] = lambda _: None
        self._server = grpc.server(ThreadPoolExecutor(max_workers=8))
        for service, methods in (
            (_APPS, {"GetApp": self._unary(app_service_pb2.GetAppRequest, _get_app)}),
            (_APPS, {"CreateApp": self._unary(app_service_pb2.CreateAppRequest, _create_app)}),
            (_APPS, {"ListApps": self._unary(app_service_pb2.ListAppsRequest, _list_apps)}),
            (_APPS, {"ReadAppLogs": self._stream(app_service_pb2.ReadAppLogsRequest, _read_logs)}),
            (_TOKENS, {"WhoAmI": self._unary(token_service_pb2.WhoAmIRequest, _who_am_i)}),
            ("doorward.policy.v1.PolicyService", {"StreamPolicy": self._unary(app_pb2.App, _echo)}),
        ):
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))
        if credentials is None:
            self._server.add_insecure_port(f"unix:{path}")
        else:
            self._server.add_secure_port(f"unix:{path}", credentials)
        self._server.start()

    def close(self) -> None:
        """Stop at once."""
        self._server.stop(grace=None).wait(5)

    def _unary(
        self, kind: type[Message], answer: Callable[[Any], Message]
    ) -> grpc.RpcMethodHandler[Any, Any]:
        def handle(request: Any, context: grpc.ServicerContext) -> Message:
            self._saw(request, context)
            return answer(request)

        return grpc.unary_unary_rpc_method_handler(handle, kind.FromString, _serialize)

    def _stream(
        self, kind: type[Message], answer: Callable[[Any], Iterator[Message]]
    ) -> grpc.RpcMethodHandler[Any, Any]:
        def handle(request: Any, context: grpc.ServicerContext) -> Iterator[Message]:
            self._saw(request, context)
            yield from answer(request)

        return grpc.unary_stream_rpc_method_handler(handle, kind.FromString, _serialize)

    def _saw(self, request: Message, context: grpc.ServicerContext) -> None:
        metadata: Any = context.invocation_metadata()
        self.calls.append(Call(type(request).__name__, request, dict(metadata)))
        self.before_answer(context)


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()


def _get_app(request: app_service_pb2.GetAppRequest) -> Message:
    app = app_pb2.App(app_id=request.app_id, display_name=TRICKY_NAME, labels={"group": "A"})
    return app_service_pb2.GetAppResponse(app=app)


def _create_app(request: app_service_pb2.CreateAppRequest) -> Message:
    return app_service_pb2.CreateAppResponse(app=request.app)


def _list_apps(_: app_service_pb2.ListAppsRequest) -> Message:
    return app_service_pb2.ListAppsResponse(apps=[app_pb2.App(app_id="one")], next_page_token="")


def _read_logs(_: app_service_pb2.ReadAppLogsRequest) -> Iterator[Message]:
    for line in ("one", "two"):
        yield app_service_pb2.ReadAppLogsResponse(line=line)


def _who_am_i(_: token_service_pb2.WhoAmIRequest) -> Message:
    return token_service_pb2.WhoAmIResponse(token=token_pb2.Token(display_name="mine"))


def _echo(request: Message) -> Message:
    return request
