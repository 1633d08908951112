"""What a hostile or broken peer cannot do to either transport."""

import socket
import threading
from pathlib import Path

import grpc
import h2.connection
import pytest

from doorward_server.check.transports import Limits
from tests.integration.check.conftest import Serve
from tests.integration.check.transport_peer import (
    JUNK,
    MALFORMED_MESSAGES,
    SECONDS,
    Peer,
    call_headers,
    check_on,
    grpc_message,
    raw_connection,
    read_outcome,
    send_body,
)

MAX_MESSAGE = 1024 * 1024


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_an_oversized_message_never_reaches_the_handler(
    serve: Serve, socket_path: Path, compression: grpc.Compression
) -> None:
    """One byte over the limit is RESOURCE_EXHAUSTED, also when it was small on the wire."""
    seen: list[int] = []

    def handler(payload: bytes) -> bytes:
        seen.append(len(payload))
        return payload

    serve(handler)
    with Peer(socket_path, compression=compression) as peer:
        for size in (MAX_MESSAGE + 1, 8 * MAX_MESSAGE):
            assert peer.refusal(bytes(size))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert peer.call(b"next") == b"next"
    assert seen == [4]


def test_a_refused_call_brings_no_message(serve: Serve, socket_path: Path) -> None:
    """A call that fails ends with a status alone: no empty message that a peer could take for an answer."""

    def handler(payload: bytes) -> bytes:
        raise ValueError(payload)

    serve(handler)
    with raw_connection(socket_path) as connection:
        http = h2.connection.H2Connection()
        http.initiate_connection()
        http.send_headers(1, call_headers())
        http.send_data(1, grpc_message(b"x"), end_stream=True)
        connection.sendall(http.data_to_send())
        assert read_outcome(connection, http) == b""


def test_the_message_limit_is_the_one_given(serve: Serve, socket_path: Path) -> None:
    """A limit from the settings replaces the default."""
    serve(limits=Limits(max_message_bytes=10))
    with Peer(socket_path) as peer:
        assert peer.call(bytes(10)) == bytes(10)
        assert peer.refusal(bytes(11))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_oversized_metadata_is_refused(serve: Serve, socket_path: Path) -> None:
    """A call with more metadata than the limit does not reach the handler; the next call is served."""
    seen: list[bytes] = []

    def handler(payload: bytes) -> bytes:
        seen.append(payload)
        return payload

    serve(handler, Limits(max_metadata_bytes=8192))
    with Peer(socket_path) as peer:
        peer.refusal(b"big", metadata=(("x-filler", "x" * 20_000),))
        assert peer.call(b"next") == b"next"
    assert seen == [b"next"]


def test_a_connection_has_a_limit_of_open_calls(serve: Serve, socket_path: Path) -> None:
    """The server announces its limit of concurrent streams, and calls over it wait at the client."""
    arrived, release = threading.Semaphore(0), threading.Event()

    def handler(payload: bytes) -> bytes:
        arrived.release()
        release.wait(SECONDS)
        return payload

    serve(handler, Limits(max_concurrent_streams=3))
    with raw_connection(socket_path) as connection:
        http = h2.connection.H2Connection()
        http.initiate_connection()
        connection.sendall(http.data_to_send())
        while http.remote_settings.max_concurrent_streams > 3:
            http.receive_data(connection.recv(65536))
        assert http.remote_settings.max_concurrent_streams == 3
    with Peer(socket_path) as peer:
        futures = [peer.check.future(b"x", timeout=SECONDS) for _ in range(10)]
        assert arrived.acquire(timeout=SECONDS)
        release.set()
        assert [future.result() for future in futures] == [b"x"] * 10


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_garbage_on_the_socket_hurts_nobody_else(serve: Serve, socket_path: Path, junk: bytes) -> None:
    """A connection that breaks HTTP/2, or stops in the middle of it, costs other connections nothing."""
    serve()
    with Peer(socket_path) as peer, raw_connection(socket_path) as connection:
        assert peer.call(b"before") == b"before"
        connection.sendall(junk)
        assert peer.call(b"during") == b"during"
        connection.shutdown(socket.SHUT_WR)
        assert peer.call(b"after") == b"after"
    with Peer(socket_path) as fresh:
        assert fresh.call(b"fresh") == b"fresh"


@pytest.mark.parametrize("body", MALFORMED_MESSAGES.values(), ids=MALFORMED_MESSAGES)
def test_a_malformed_grpc_message_is_never_handed_over_in_part(
    serve: Serve, socket_path: Path, body: bytes
) -> None:
    """Of a body that is not one whole message the handler sees nothing (grpcio: at most an empty request)."""
    seen: list[bytes] = []

    def handler(payload: bytes) -> bytes:
        seen.append(payload)
        return payload

    serve(handler)
    with raw_connection(socket_path) as connection:
        send_body(connection, body)
    with Peer(socket_path) as peer:
        assert peer.call(b"next") == b"next"
    assert [payload for payload in seen if payload] == [b"next"]


def test_a_message_in_pieces_is_put_together(serve: Serve, socket_path: Path) -> None:
    """A message that arrives byte by byte is one message to the handler."""
    serve()
    with raw_connection(socket_path) as connection:
        http = h2.connection.H2Connection()
        http.initiate_connection()
        http.send_headers(1, call_headers())
        for byte in grpc_message(b"pieces"):
            http.send_data(1, bytes([byte]))
        http.end_stream(1)
        for byte in http.data_to_send():
            connection.sendall(bytes([byte]))
        assert read_outcome(connection, http) == grpc_message(b"pieces")


def test_many_connections_are_all_served(serve: Serve, socket_path: Path) -> None:
    """500 connections at once are each answered, and the place of one that closes can be taken again."""
    serve()
    connections: list[socket.socket] = []
    try:
        for number in range(500):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connections.append(connection)
            connection.settimeout(SECONDS)
            connection.connect(str(socket_path))
            assert check_on(connection, b"%d" % number) == b"%d" % number
    finally:
        for closing in connections:
            closing.close()
    with raw_connection(socket_path) as again:
        assert check_on(again, b"again") == b"again"
