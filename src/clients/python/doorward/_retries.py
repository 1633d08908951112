"""Which calls the client repeats by itself, read from the protos, and how.

Repeated is only what may go better a moment later: UNAVAILABLE, which is what a connection that cannot be
made or breaks gives, and RESOURCE_EXHAUSTED when the server itself says when to come back. And only a call
that does no harm when it happens twice: one whose `idempotency_level` says so, or a create, whose
`request_id` makes the second answer what the first one made. Every repeat is within the call's deadline.
What a lost first attempt did shows in the answer to the second: a delete may answer NOT_FOUND, an update
with an etag ABORTED.

Not left to gRPC, whose own retries end where the server's first header arrives (gRFC A6): an api that
answers at all, such as one whose database is locked, would never be asked again.
"""

import random
import time

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message

from doorward._exceptions import DoorwardError, ResourceExhausted, Unavailable
from doorward.v1 import (
    app_service_pb2,
    audit_service_pb2,
    replica_service_pb2,
    session_service_pb2,
    token_service_pb2,
)

DELAYS = (0.1, 0.3, 0.9, 2.0)
"""The longest wait before each repeat, in seconds; there are no more repeats than these."""

LEAST_SECONDS = 0.001
"""The least time that an attempt is given: gRPC takes no less for a deadline."""


def may_be_repeated(method: MethodDescriptor) -> bool:
    """Return whether calling *method* twice does what calling it once does."""
    level = method.GetOptions().idempotency_level
    return level != MethodOptions.IDEMPOTENCY_UNKNOWN or "request_id" in method.input_type.fields_by_name


_REPEATABLE = frozenset(
    method.input_type.full_name
    for module in (
        app_service_pb2,
        audit_service_pb2,
        replica_service_pb2,
        session_service_pb2,
        token_service_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
    if may_be_repeated(method)
)
"""The requests of those methods; every method has one of its own."""


class Attempts:
    """The attempts of one call: what time is left for the next, and how long to wait before it."""

    __slots__ = ("_deadline", "_delays")

    def __init__(self, request: Message, limit: float | None) -> None:
        """Begin a call that may take *limit* seconds altogether, or as long as it takes."""
        self._deadline = None if limit is None else time.monotonic() + limit
        self._delays = iter(DELAYS if request.DESCRIPTOR.full_name in _REPEATABLE else ())

    def left(self) -> float | None:
        """Return how many seconds an attempt that begins now has."""
        return None if self._deadline is None else max(self._deadline - time.monotonic(), LEAST_SECONDS)

    def pause_after(self, error: DoorwardError, cause: Exception) -> float:
        """Return how many seconds to wait before the next attempt, or raise *error* when there is to be none.

        Anything up to the delay, after what the server has asked for ("full jitter"), so that clients that
        failed together come back apart.
        """
        delay = next(self._delays, None) if _may_go_better(error) else None
        if delay is None:
            raise error from cause
        pause = random.uniform(0, delay)  # noqa: S311 - spreads load, protects nothing
        if error.retry_after is not None:
            pause += max(error.retry_after.total_seconds(), 0)
        if self._deadline is not None and time.monotonic() + pause >= self._deadline:
            raise error from cause
        return pause


def _may_go_better(error: DoorwardError) -> bool:
    """Return whether the same call may go well a moment later."""
    asked = isinstance(error, ResourceExhausted) and error.retry_after is not None
    return asked or isinstance(error, Unavailable)
