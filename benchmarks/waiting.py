"""Waiting for a replica to serve, as Envoy does: by its health."""

import time
from pathlib import Path
from typing import Final

import grpc
from grpc_health.v1 import health_pb2

from benchmarks.children import ChildError
from doorward_server.check.transports.contract import HEALTH_METHOD

_POLL_SECONDS: Final = 0.01


def await_serving(socket: Path, *, timeout: float) -> None:
    """Return as soon as the gRPC server on a Unix socket says that it serves; raises `ChildError`."""
    deadline = time.monotonic() + timeout
    while not _serves(socket):
        if time.monotonic() > deadline:
            raise ChildError(f"{socket.name} did not serve within {timeout:.0f} s")
        time.sleep(_POLL_SECONDS)


def _serves(socket: Path) -> bool:
    # A channel each time: one that has failed waits before it tries again.
    with grpc.insecure_channel(f"unix:{socket}", [("grpc.use_local_subchannel_pool", 1)]) as channel:
        ask = channel.unary_unary(
            HEALTH_METHOD,
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = ask(health_pb2.HealthCheckRequest(), timeout=1)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
