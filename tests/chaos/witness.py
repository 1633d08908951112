"""An app that tells which requests have reached it: the last word on what was allowed."""

import threading
import time
from socketserver import StreamRequestHandler, ThreadingTCPServer

NUMBER = "x-number"
"""The header by which a request is known."""

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"


class Witness:
    """An HTTP/1.1 server. Close it when done."""

    def __init__(self) -> None:
        self.reached: dict[int, float] = {}
        """When each numbered request arrived, on the monotonic clock; whoever asks takes it out."""
        reached = self.reached

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                while head := self._head():
                    number = head.get(NUMBER)
                    if number is not None:
                        reached[int(number)] = time.monotonic()
                    self.wfile.write(_ANSWER)

            def _head(self) -> dict[str, str]:
                """The headers of the next request, with its first line as one; empty at the end."""
                head: dict[str, str] = {}
                try:
                    while (line := self.rfile.readline().decode("latin-1").rstrip("\r\n")) or not head:
                        if not line:
                            return {}
                        name, _, value = line.partition(":")
                        head[name.lower()] = value.strip()
                except OSError:
                    return {}
                return head

        class Server(ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
