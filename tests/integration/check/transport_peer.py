"""The other end of a transport's socket: well-behaved gRPC, and raw bytes."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import grpc
import h2.connection
import h2.events
from grpc_health.v1 import health_pb2

from doorward_server.check.transports.contract import CHECK_METHOD, HEALTH_METHOD

SECONDS = 10.0
"""How long any one thing may take before a test gives up on it."""

_SERVING = health_pb2.HealthCheckResponse.SERVING


class Peer:
    """A gRPC client with a connection of its own, the way Envoy has one."""

    def __init__(self, path: Path, *, compression: grpc.Compression | None = None) -> None:
        self.channel = grpc.insecure_channel(
            f"unix:{quote(str(path))}",
            options=[
                # Channels to the same address share a connection unless they are told not to.
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.max_receive_message_length", -1),
                ("grpc.max_metadata_size", 1024 * 1024),
            ],
            compression=compression,
        )
        self.check = self._method(CHECK_METHOD)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.channel.close()

    def _method(self, path: str) -> "grpc.UnaryUnaryMultiCallable[bytes, bytes]":
        method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self.channel.unary_unary(path)
        return method

    def call(self, payload: bytes, *, method: str = CHECK_METHOD) -> bytes:
        """One call that waits for the connection."""
        return self._method(method)(payload, timeout=SECONDS, wait_for_ready=True)

    def is_serving(self, service: str = "") -> bool:
        """What the health protocol says of a service."""
        question = health_pb2.HealthCheckRequest(service=service).SerializeToString()
        answer = health_pb2.HealthCheckResponse.FromString(self.call(question, method=HEALTH_METHOD))
        return answer.status == _SERVING

    def refusal(
        self, payload: bytes, *, method: str = CHECK_METHOD, metadata: tuple[tuple[str, str], ...] = ()
    ) -> tuple[grpc.StatusCode, str]:
        """The status of a call that must not be answered."""
        try:
            self._method(method)(payload, timeout=SECONDS, metadata=metadata, wait_for_ready=True)
        except grpc.RpcError as refusal:
            return refusal.code(), refusal.details() or ""
        raise AssertionError("the call was answered")


@contextlib.contextmanager
def raw_connection(path: Path) -> Iterator[socket.socket]:
    """A connection that speaks nothing of its own accord."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(SECONDS)
        connection.connect(str(path))
        yield connection


@contextlib.contextmanager
def flood(path: Path, *, count: int) -> Iterator[None]:
    """So many connections at once during the block, half of which have begun to say something.

    Those that the server's backlog has no room for do not wait: they are not there.
    """
    with contextlib.ExitStack() as opened:
        for number in range(count):
            connection = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            connection.setblocking(False)
            if connection.connect_ex(str(path)) == 0:
                connection.sendall(JUNK["truncated"] if number % 2 else b"")
        yield


def grpc_message(payload: bytes) -> bytes:
    """A length-prefixed message, uncompressed, as in "gRPC over HTTP2"."""
    return b"\0" + len(payload).to_bytes(4, "big") + payload


def call_headers() -> list[tuple[str, str]]:
    """The request headers of a Check."""
    return [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", CHECK_METHOD),
        (":authority", "check"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]


def read_outcome(connection: socket.socket, http: h2.connection.H2Connection) -> bytes:
    """The body of the answer to the first call on a connection, if there is one, once the call has ended."""
    body = b""
    ends = (h2.events.StreamEnded, h2.events.StreamReset, h2.events.ConnectionTerminated)
    while received := connection.recv(65536):
        events = http.receive_data(received)
        body += b"".join(event.data for event in events if isinstance(event, h2.events.DataReceived))
        if any(isinstance(event, ends) for event in events):
            break
        connection.sendall(http.data_to_send())
    return body


DATA_FRAME = 0
PING_FRAME = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One HTTP/2 frame (RFC 9113 section 4.1)."""

    kind: int
    stream: int
    body: bytes


def frames(connection: socket.socket) -> Iterator[Frame]:
    """What the server sends, its pings answered; h2 itself takes nothing more after a GOAWAY."""
    received = b""
    while more := connection.recv(65536):
        received += more
        while len(received) >= 9 and len(received) >= (end := 9 + int.from_bytes(received[:3], "big")):
            head, body, received = received[:9], received[9:end], received[end:]
            if head[3] == PING_FRAME and not head[4]:
                connection.sendall(head[:4] + b"\1" + head[5:] + body)
            else:
                yield Frame(kind=head[3], stream=int.from_bytes(head[5:], "big"), body=body)


def check_on(connection: socket.socket, payload: bytes) -> bytes:
    """One Check on a fresh raw connection; a tenth of what a gRPC channel costs."""
    http = h2.connection.H2Connection()
    http.initiate_connection()
    stream = http.get_next_available_stream_id()
    http.send_headers(stream, call_headers())
    http.send_data(stream, grpc_message(payload), end_stream=True)
    connection.sendall(http.data_to_send())
    return read_outcome(connection, http)[5:]


def _frame(*, length: int, kind: int, stream: int, body: bytes) -> bytes:
    """An HTTP/2 frame that may lie about its length."""
    return length.to_bytes(3, "big") + bytes([kind, 0]) + stream.to_bytes(4, "big") + body


_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS = _frame(length=0, kind=4, stream=0, body=b"")

JUNK = {
    "silence": b"",
    "zeros": b"\0" * 4096,
    "http1": b"GET / HTTP/1.1\r\nHost: check\r\n\r\n",
    "half-preface": _PREFACE[:10],
    "truncated": _PREFACE + _frame(length=100, kind=4, stream=0, body=b"short"),
    "huge": _PREFACE + _SETTINGS + _frame(length=2**24 - 1, kind=0, stream=1, body=b"huge"),
    "bad-hpack": _PREFACE + _SETTINGS + _frame(length=4, kind=1, stream=1, body=b"\xff\xff\xff\xff"),
    "stray": _PREFACE + _SETTINGS + _frame(length=3, kind=9, stream=1, body=b"abc"),
    "bad-reset": _PREFACE + _SETTINGS + _frame(length=4, kind=3, stream=0, body=b"\0\0\0\0"),
}
"""What is not HTTP/2, or only the beginning of it."""

MALFORMED_MESSAGES = {
    "none": b"",
    "cut-prefix": b"\0",
    "cut-message": b"\0\0\0\0\x09short",
    "four-gigabytes": b"\0\xff\xff\xff\xff",
    "uncompressed-flag": b"\x01\0\0\0\x01x",
    "unknown-flag": b"\x07\0\0\0\x01x",
}
"""Bodies that are not one whole gRPC message."""


def send_body(connection: socket.socket, body: bytes) -> None:
    """A Check with any bytes for a body, and its outcome waited for."""
    http = h2.connection.H2Connection()
    http.initiate_connection()
    http.send_headers(1, call_headers())
    http.send_data(1, body, end_stream=True)
    connection.sendall(http.data_to_send())
    read_outcome(connection, http)
