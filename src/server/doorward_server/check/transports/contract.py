"""What a transport promises, and what every transport is told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Handler = Callable[[bytes], bytes]
"""Answers one Check: a serialized ``CheckRequest`` in, a serialized ``CheckResponse`` out.

A transport calls it from one thread, one call at a time, so it must not block and needs no lock of its own.
Bytes that are no ``CheckRequest`` are the handler's to answer. What it raises, a peer sees as bare INTERNAL.
"""

CHECK_SERVICE = "envoy.service.auth.v3.Authorization"
CHECK_METHOD = f"/{CHECK_SERVICE}/Check"
HEALTH_METHOD = "/grpc.health.v1.Health/Check"


class TransportError(Exception):
    """A transport cannot start; the text names the socket, the rule it breaks, and what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a peer may ask of a transport, and how long it waits for the last calls when it closes.

    A connection has at most ``max_concurrent_streams`` calls open, so its backlog is never longer than that
    many calls of the handler.
    """

    max_message_bytes: int = 1024 * 1024
    max_metadata_bytes: int = 16 * 1024
    max_concurrent_streams: int = 1024
    grace_seconds: float = 5.0

    def __post_init__(self) -> None:
        for name in ("max_message_bytes", "max_metadata_bytes", "max_concurrent_streams"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.grace_seconds < 0:
            raise ValueError(f"grace_seconds must not be negative, not {self.grace_seconds}")


class Transport(Protocol):
    """Serves Check and the gRPC health protocol on one Unix socket.

    A transport begins as NOT_SERVING: a replica has no policy yet, and Envoy must not ask one that has none.
    """

    def start(self) -> None:
        """Bind the socket and serve in background threads.

        Raises `TransportError` when the socket cannot be had: its path is too long, its directory is open to
        others, or another server is live on it.
        """
        ...

    def set_serving(self, serving: bool) -> None:
        """Say whether Envoy may send Checks here. Calls that come nevertheless are answered as ever."""
        ...

    def close(self) -> None:
        """Answer the calls in flight within the grace period, then let go of the socket and remove its file.

        Does nothing when it was called before, or when the transport was never started.
        """
        ...
