"""An app with a page and a WebSocket that says everything back."""

import threading
from http import HTTPStatus
from types import TracebackType
from typing import Self

from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

PAGE = b"""<!doctype html><title>the app</title><h1>The app</h1><p id=where></p><p id=said></p>
<script>document.getElementById("where").textContent = location.pathname + location.search</script>"""


class SocketApp:
    """Listens on a free port of this machine, and counts the WebSockets that were opened."""

    def __init__(self) -> None:
        self.opened = 0
        self._server = serve(self._echo, "127.0.0.1", 0, process_request=self._page)
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def _echo(self, connection: ServerConnection) -> None:
        self.opened += 1
        for message in connection:
            connection.send(message)

    def _page(self, connection: ServerConnection, request: Request) -> Response | None:
        if "upgrade" in request.headers.get("Connection", "").lower():
            return None
        response = connection.respond(HTTPStatus.OK, PAGE.decode())
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "text/html; charset=utf-8"
        return response

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(10)
