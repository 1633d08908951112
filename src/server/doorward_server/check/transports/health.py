"""The gRPC health protocol's Check (grpc.health.v1), without a server attached to it.

It runs on the thread that answers Checks, so an answer also says that this thread is not stuck.
"""

from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2

from doorward_server.check.transports.contract import CHECK_SERVICE

_SERVICES = frozenset({"", CHECK_SERVICE})


class UnknownServiceError(Exception):
    """Someone asked for the health of a service that is not served here, or in bytes that are no question."""


class Health:
    """Whether Checks may be sent here. Starts as NOT_SERVING."""

    __slots__ = ("_answer",)

    def __init__(self) -> None:
        self._answer = _encoded(serving=False)

    def set_serving(self, serving: bool) -> None:
        """Change the answer to every later question."""
        self._answer = _encoded(serving=serving)

    def check(self, payload: bytes) -> bytes:
        """Answer a serialized ``HealthCheckRequest``; raises `UnknownServiceError`."""
        try:
            service = health_pb2.HealthCheckRequest.FromString(payload).service
        except DecodeError:
            raise UnknownServiceError from None
        if service not in _SERVICES:
            raise UnknownServiceError
        return self._answer


def _encoded(*, serving: bool) -> bytes:
    response = health_pb2.HealthCheckResponse
    status = response.SERVING if serving else response.NOT_SERVING
    return response(status=status).SerializeToString()
