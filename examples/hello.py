"""A small app for Doorward: the standard library alone, on the port that it is told as PORT.

GET /          answers `Hello, World!`
GET /headers   answers the headers that the app has received, as JSON: names in lower case
POST anywhere  answers what was sent
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHUNK = 64 * 1024


class Hello(BaseHTTPRequestHandler):
    """Answers requests."""

    protocol_version = "HTTP/1.1"
    server_version = "hello"
    # Headers and body are two packets; Nagle's algorithm would keep the second back.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Greet, or show the headers."""
        path = self.path.partition("?")[0]
        if path == "/":
            self.answer(200, "text/plain; charset=utf-8", b"Hello, World!\n")
        elif path == "/headers":
            received: dict[str, str] = {}
            for name, value in self.headers.items():
                key = name.lower()
                received[key] = f"{received[key]}, {value}" if key in received else value
            self.answer(200, "application/json", json.dumps(received, indent=2).encode() + b"\n")
        else:
            self.answer(404, "text/plain; charset=utf-8", b"there is nothing here\n")

    do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

    def do_POST(self) -> None:
        """Send back what was sent, as it comes."""
        self.send_response(200)
        self.send_header("content-type", self.headers.get("content-type", "application/octet-stream"))
        length = self.headers.get("content-length")
        if length is not None:
            self.send_header("content-length", length)
            self.end_headers()
            for data in self.pieces(int(length)):
                self.wfile.write(data)
        else:
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for data in self.chunks():
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.write(b"0\r\n\r\n")

    def chunks(self) -> Iterator[bytes]:
        """The pieces of a body that is sent in chunks (RFC 9112 §7.1)."""
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return
        while length := int(self.rfile.readline().partition(b";")[0], 16):
            yield from self.pieces(length)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def pieces(self, length: int) -> Iterator[bytes]:
        """The next *length* bytes of the body, in pieces."""
        while length and (data := self.rfile.read(min(CHUNK, length))):
            length -= len(data)
            yield data

    def answer(self, status: int, content_type: str, body: bytes) -> None:
        """Send a whole answer."""
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """One thread a connection, none of which delays the end."""

    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    """Serve until SIGTERM."""
    # End at SIGTERM as programs should: at once, and with success.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Server(("127.0.0.1", int(os.environ["PORT"])), Hello) as server:
        print(f"listening on port {server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
