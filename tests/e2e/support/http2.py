"""HTTP/2 without TLS, by hand: an app and a client that can send trailers of any name."""

import socket
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RequestReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError

from tests.e2e.support.raw_http import TIMEOUT

Fields = list[tuple[str, str]]


def _text(headers: Iterable[tuple[bytes | str, bytes | str]]) -> Fields:
    def text(value: bytes | str) -> str:
        return value.decode("latin-1") if isinstance(value, bytes) else value

    return [(text(name), text(value)) for name, value in headers]


class _Peer:
    """One HTTP/2 connection and its events."""

    def __init__(self, sock: socket.socket, *, client: bool) -> None:
        self.socket = sock
        self.h2 = H2Connection(
            # Nothing is put right: a test may send what no client would.
            H2Configuration(
                client_side=client,
                validate_inbound_headers=False,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def events(self) -> list[Event]:
        """The next events; empty when the connection is over."""
        while data := self.socket.recv(65536):
            events = self.h2.receive_data(data)
            for event in events:
                if isinstance(event, DataReceived) and event.flow_controlled_length:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            self.flush()
            if events:
                return events
        return []


class Http2App:
    """Answers each request with 200, and keeps its headers and trailers."""

    def __init__(self) -> None:
        self.headers: list[Fields] = []
        self.trailers: list[Fields] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(TIMEOUT)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_connection, args=(client,), daemon=True).start()

    def _serve_connection(self, client: socket.socket) -> None:
        with client:
            client.settimeout(TIMEOUT)
            peer = _Peer(client, client=False)
            while events := self._events(peer):
                for event in events:
                    if isinstance(event, RequestReceived):
                        self.headers.append(_text(event.headers or []))
                    elif isinstance(event, TrailersReceived):
                        self.trailers.append(_text(event.headers or []))
                    elif isinstance(event, StreamEnded):
                        peer.h2.send_headers(event.stream_id, [(":status", "200")], end_stream=True)
                peer.flush()

    @staticmethod
    def _events(peer: _Peer) -> list[Event]:
        try:
            return peer.events()
        except (ProtocolError, OSError):  # somebody who speaks HTTP/1.1, or is gone
            return []


def request(
    address: tuple[str, int], headers: Fields | list[tuple[bytes, bytes]], *, trailers: Fields | None = None
) -> str | None:
    """Send one request, with a body of one byte if it has trailers.

    Returns the status; None when Envoy resets the stream or closes the connection instead.
    """
    with socket.create_connection(address, TIMEOUT) as sock:
        peer = _Peer(sock, client=True)
        peer.h2.send_headers(1, headers, end_stream=trailers is None)
        if trailers is not None:
            peer.h2.send_data(1, b"x")
            peer.h2.send_headers(1, trailers, end_stream=True)
        peer.flush()
        while events := peer.events():
            for event in events:
                if isinstance(event, ResponseReceived):
                    return dict(_text(event.headers or []))[":status"]
                if isinstance(event, StreamReset | ConnectionTerminated):
                    return None
    return None
