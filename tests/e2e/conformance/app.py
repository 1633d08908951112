"""The app that the kit puts behind a gateway: it keeps what reaches it, and answers with what was asked for.

An answer that went to the wrong request is told by its body, and one that came from elsewhere has none.
"""

import threading
from typing import Final

from tests.e2e.support.apps import Received, RecordingApp
from tests.e2e.support.raw_http import TIMEOUT

SOCKET: Final = "/socket"
"""The path at which the app opens WebSockets; what it is sent there it sends back."""

STREAM: Final = "/stream"
"""The path at which the app answers in two pieces, the second of them when it is told to."""

FIRST_PIECE, LAST_PIECE = b"first", b"last"


class KitApp(RecordingApp):
    """One of the apps."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(self._answer, host=host, port=port)
        self.go_on = threading.Event()
        """Ends the answers at `STREAM`."""
        self._looked_at = 0

    def fresh(self) -> list[Received]:
        """The requests that came since the last look at them. None comes too late to be looked at."""
        found = self.requests[self._looked_at :]
        self._looked_at += len(found)
        return found

    def _answer(self, received: Received) -> bytes | None:
        path = received.target.partition("?")[0]
        if path == SOCKET and received.all("upgrade"):
            _echo(received)
            return None
        if path == STREAM:
            self._stream(received)
            return None
        body = received.target.encode("latin-1")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    def _stream(self, received: Received) -> None:
        head = "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
        received.socket.sendall((head % len(FIRST_PIECE + LAST_PIECE)).encode() + FIRST_PIECE)
        self.go_on.wait(TIMEOUT)
        received.socket.sendall(LAST_PIECE)


def _echo(received: Received) -> None:
    received.socket.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )
    while data := received.socket.recv(65536):
        received.socket.sendall(data)
