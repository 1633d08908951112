"""Whether everything works, seen from outside."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.chaos.http1 import NO_ANSWER, KeptConnection
from tests.chaos.operator import GoneError, Operator, UnknownOutcomeError
from tests.chaos.scene import Scene, bearer
from tests.e2e.support.platform import Platform
from tests.e2e.support.raw_http import Headers, request_bytes

_ANSWER_SECONDS = 2.0


async def fault_of(
    platform: Platform, operator: Operator, scene: Scene, *, replicas: int, remembered: float
) -> str | None:
    """What does not work; None when all does: each process, the API, and every request that must pass."""
    for name in ("api", *(f"check-{index}" for index in range(replicas))):
        if not await _serves(platform.run / f"{name}.sock"):
            return f"{name} does not serve"
    try:
        async with asyncio.timeout(_ANSWER_SECONDS + remembered):
            token_id, secret = await operator.create_token("probe", labelSelector="group=A")
            status = await _status(platform, scene.group_a, bearer(secret))
            await operator.delete_token(token_id)
    except TimeoutError:
        return "the API does not answer"
    except (UnknownOutcomeError, GoneError) as error:
        return f"the API: {error}"
    if status != 200:
        return f"a new token: {status}"
    for kind in scene.allowed:
        status = await _status(platform, kind.host, kind.headers, kind.target)
        if status != 200:
            return f"{kind.name}: {status}"
    return None


async def _serves(socket: Path) -> bool:
    """Whether a gRPC server says that it serves."""
    # A pool of its own: channels of one target share what is left of a failed attempt, and its back-off.
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"unix:{socket}", options) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=_ANSWER_SECONDS)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def _status(platform: Platform, host: str, headers: Headers, target: str = "/") -> int | None:
    """How a request of a client that comes anew is answered; None: not at all."""
    connection = KeptConnection(platform.address)
    try:
        request = request_bytes("GET", target, host=host, headers=headers)
        return (await connection.exchange(request, within=_ANSWER_SECONDS)).status
    except NO_ANSWER:
        return None
    finally:
        connection.close()
