"""An HTTP/2 connection that makes one unary call over and over, at a tenth of the cost of a gRPC client.

The load generator shares the machine's cores with the server that it measures, so it does no more than the
call needs: the same header block every time, and of the answers only what frames they are (RFC 9113).
"""

import socket
from dataclasses import dataclass
from pathlib import Path

_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_ACK = _END_STREAM = 0x1
_END_HEADERS = 0x4
_FRAME_HEADER = 9
_MESSAGE_HEADER = 5
_FIRST_WINDOW = 65_535
_LARGEST_WINDOW = 2**31 - 1
_INITIAL_WINDOW_SIZE = 0x4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A call that is over; ``due`` is when it should have been sent. One without a body has failed."""

    due: float
    body: bytes | None


class Connection:
    """One connection to a gRPC server on a Unix socket; not for use by two threads."""

    def __init__(self, path: Path, method: str, *, timeout: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        self._socket.connect(str(path))
        self._header_block = _header_block(method)
        self._next_stream = 1
        self._due: dict[int, float] = {}
        self._bodies: dict[int, bytes] = {}
        self._outgoing: list[bytes] = []
        self._received = b""
        self._window = _FIRST_WINDOW
        settings = _INITIAL_WINDOW_SIZE.to_bytes(2, "big") + _LARGEST_WINDOW.to_bytes(4, "big")
        grown = (_LARGEST_WINDOW - _FIRST_WINDOW).to_bytes(4, "big")
        self._outgoing += (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            _frame(_SETTINGS, 0, 0, settings),
            _frame(_WINDOW_UPDATE, 0, 0, grown),
        )
        # At once: a server does not wait for long for a client that says nothing.
        self.flush()

    def fileno(self) -> int:
        """For select()."""
        return self._socket.fileno()

    @property
    def in_flight(self) -> int:
        """How many calls wait for their answer."""
        return len(self._due)

    def call(self, request: bytes, *, due: float) -> None:
        """Write down a call; `flush` sends it."""
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        message = b"\0" + len(request).to_bytes(4, "big") + request
        self._window -= len(message)
        self._due[stream] = due
        self._outgoing += (
            _frame(_HEADERS, _END_HEADERS, stream, self._header_block),
            _frame(_DATA, _END_STREAM, stream, message),
        )

    def has_room_for(self, request: bytes) -> bool:
        """Whether the server has said that it can take this much more."""
        return self._window >= len(request) + _MESSAGE_HEADER

    def flush(self) -> None:
        """Send what was written down."""
        if self._outgoing:
            self._socket.sendall(b"".join(self._outgoing))
            self._outgoing.clear()

    def receive(self) -> list[Ended]:
        """Read what there is, and return the calls that it ends. Raises `ConnectionError`."""
        more = self._socket.recv(256 * 1024)
        if not more:
            raise ConnectionError("the server closed the connection")
        received, at = self._received + more, 0
        ended: list[Ended] = []
        while at + _FRAME_HEADER <= len(received):
            end = at + _FRAME_HEADER + int.from_bytes(received[at : at + 3], "big")
            if end > len(received):
                break
            kind, flags = received[at + 3], received[at + 4]
            stream = int.from_bytes(received[at + 5 : at + _FRAME_HEADER], "big")
            body = received[at + _FRAME_HEADER : end]
            if kind == _DATA:
                self._bodies[stream] = self._bodies.get(stream, b"") + body
            if kind in {_DATA, _HEADERS}:
                if flags & _END_STREAM:
                    ended.append(self._end(stream))
            elif kind == _RST_STREAM:
                self._bodies.pop(stream, None)
                ended.append(self._end(stream))
            else:
                self._control(kind, flags, stream, body)
            at = end
        self._received = received[at:]
        return ended

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _end(self, stream: int) -> Ended:
        message = self._bodies.pop(stream, b"")
        return Ended(due=self._due.pop(stream), body=message[_MESSAGE_HEADER:] if message else None)

    def _control(self, kind: int, flags: int, stream: int, body: bytes) -> None:
        if kind == _WINDOW_UPDATE and stream == 0:
            self._window += int.from_bytes(body, "big")
        elif kind in {_SETTINGS, _PING} and not flags & _ACK:
            self._outgoing.append(_frame(kind, _ACK, 0, body if kind == _PING else b""))
            self.flush()
        elif kind == _GOAWAY:
            raise ConnectionError("the server is going away")


def _frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + body


def _header_block(method: str) -> bytes:
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": method,
        ":authority": "check",
        "te": "trailers",
        "content-type": "application/grpc",
    }
    # Literals without indexing (RFC 7541 section 6.2.2): the same bytes mean the same in every call.
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in headers.items())


def _text(value: str) -> bytes:
    return bytes([len(value)]) + value.encode()
