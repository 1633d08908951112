"""Which calls the client repeats by itself, read from the protos, and how.

Only UNAVAILABLE is repeated, which is what a connection that cannot be made or breaks gives, and only a
call that does no harm when it happens twice: one whose `idempotency_level` says so, or a create, whose
`request_id` makes the second answer what the first one made. Every repeat is within the call's deadline.
What a lost first attempt did shows in the answer to the second: a delete may answer NOT_FOUND, an update
with an etag ABORTED.

Not left to gRPC, whose own retries end where the server's first header arrives (gRFC A6): an api that
answers at all, such as one whose database is locked, would never be asked again.
"""

import random
from collections.abc import Iterator
from datetime import timedelta

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message

from doorward._exceptions import DoorwardError, Unavailable
from doorward.v1 import (
    app_service_pb2,
    audit_service_pb2,
    replica_service_pb2,
    session_service_pb2,
    token_service_pb2,
)

DELAYS = (0.1, 0.2, 0.4, 0.8)
"""Seconds before each repeat, before jitter; there are no more than these."""


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


def delays(request: Message) -> Iterator[float]:
    """Yield how long to wait before each repeat of *request*, in seconds: none when it must not be repeated.

    Between half and one and a half times the delay, so that clients that failed together come back apart.
    """
    if request.DESCRIPTOR.full_name in _REPEATABLE:
        for delay in DELAYS:
            yield delay * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, protects nothing


def is_worth_repeating(error: DoorwardError) -> bool:
    """Return whether the same call may go well a moment later."""
    return isinstance(error, Unavailable)


def at_least(delay: float, asked: timedelta | None) -> float:
    """Return a delay, in seconds, that is not shorter than what the server asks for."""
    return delay if asked is None else max(delay, asked.total_seconds())
