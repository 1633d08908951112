"""The engine for where pygrpc-native has no wheel: grpcio's own server."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import grpc

from doorward_server.check.transports.calls import Procedure
from doorward_server.check.transports.contract import Limits

_log = logging.getLogger(__name__)

# What grpcio takes to end the calls that outlived the grace period.
_CANCEL_SECONDS = 1.0


def listen(path: Path, procedures: Mapping[str, Procedure], limits: Limits) -> "GrpcioEngine":
    """Serve on a `grpc.server` whose methods take and give bytes; raises `OSError`."""
    # One worker: the handler is promised one call at a time, and more threads would only share the same GIL.
    workers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="check")
    server = grpc.server(
        workers,
        handlers=[_RawMethods(procedures)],
        options=(
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", limits.max_message_bytes),
            ("grpc.max_send_message_length", -1),
            # Between these two grpc refuses calls at random, so they are the same.
            ("grpc.max_metadata_size", limits.max_metadata_bytes),
            ("grpc.absolute_max_metadata_size", limits.max_metadata_bytes),
            ("grpc.max_concurrent_streams", limits.max_concurrent_streams),
        ),
    )
    try:
        # Part of a URI here (gRPC naming), so that "%" and "#" must be escaped.
        server.add_insecure_port(f"unix:{quote(str(path))}")
    except RuntimeError as fault:
        workers.shutdown(wait=False)
        raise OSError(str(fault)) from fault
    server.start()
    return GrpcioEngine(server, workers)


class GrpcioEngine:
    """A server and the thread that runs its handler."""

    def __init__(self, server: grpc.Server, workers: ThreadPoolExecutor) -> None:
        self._server = server
        self._workers = workers

    def drain(self, grace_seconds: float) -> None:
        if not self._server.stop(grace_seconds).wait(grace_seconds + _CANCEL_SECONDS):
            _log.warning("A call outlived the %.1f s of grace and was ended unanswered", grace_seconds)
        self._workers.shutdown(wait=False, cancel_futures=True)


class _RawMethods(grpc.GenericRpcHandler):
    def __init__(self, procedures: Mapping[str, Procedure]) -> None:
        self._handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            method: grpc.unary_unary_rpc_method_handler(_behaviour(procedure))
            for method, procedure in procedures.items()
        }

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        return self._handlers.get(handler_call_details.method)


def _behaviour(procedure: Procedure) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    def behave(payload: bytes, context: grpc.ServicerContext) -> bytes:
        answer = procedure(payload)
        if not isinstance(answer, bytes):
            # Not set_code(), which would send an empty message ahead of the status.
            context.abort(answer.code, answer.message)
        return answer

    return behave
