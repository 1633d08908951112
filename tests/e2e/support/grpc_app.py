"""A gRPC app that passes bytes through: what an app's own protocol looks like to a proxy."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import grpc

SERVICE = "test.Echo"
UNARY = f"/{SERVICE}/Unary"
STREAM = f"/{SERVICE}/Stream"
FAIL = f"/{SERVICE}/Fail"


class GrpcApp:
    """Echoes, and keeps the metadata it saw."""

    def __init__(self) -> None:
        self.metadata: list[dict[str, str | bytes]] = []
        self.received = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(max_workers=4))
        handlers: dict[str, Any] = {
            "Unary": grpc.unary_unary_rpc_method_handler(self._unary),
            "Stream": grpc.stream_stream_rpc_method_handler(self._stream),
            "Fail": grpc.unary_unary_rpc_method_handler(self._fail),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(grace=None).wait(5)

    def _saw(self, context: grpc.ServicerContext) -> None:
        self.metadata.append(dict(context.invocation_metadata()))

    def _unary(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self._saw(context)
        context.set_trailing_metadata((("x-trailer", "from the app"),))
        return request

    def _stream(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        self._saw(context)
        yield from requests

    def _fail(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(grpc.StatusCode.DATA_LOSS, "the app's own error")
