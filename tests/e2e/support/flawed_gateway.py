"""A small gateway, and what is easily got wrong in one: the conformance kit must find each of these."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Final

from tests.e2e.conformance.target import Target, TargetApp, TargetSecret
from tests.e2e.support.raw_http import TIMEOUT, Connection

_NO_TOKEN: Final = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
_IDENTITY: Final = re.compile(r"x[-_]who[-_]", re.IGNORECASE)


class Gateway:
    """Checks one request a connection, and gets it right. A flaw overrides one of its steps."""

    def __init__(self, apps: dict[str, TargetApp], token: str) -> None:
        self._apps = {app.host: app for app in apps.values()}
        self._token = token
        self._paused = False

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    def serve(self, client: socket.socket) -> None:
        """Answer the request of a connection."""
        head = _head(client)
        first, *lines = head.split("\r\n")
        headers = [
            (name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)
        ]
        (host,) = [value for name, value in headers if name.lower() == "host"]
        app = self._apps[host]
        credentials = [value for name, value in headers if name.lower() == "authorization"]
        if self.lets_in(credentials):
            client.sendall(self.ask(app, first, self.headers_for(app, headers)))
        else:
            self.refuse(client, app, first)

    def lets_in(self, credentials: list[str]) -> bool:
        """Whether these are a credential."""
        return self.in_an_outage() if self._paused else credentials == [f"Bearer {self._token}"]

    def in_an_outage(self) -> bool:
        """Whether somebody is let in while nobody can decide."""
        return False

    def headers_for(self, app: TargetApp, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """What the app gets."""
        kept = [field for field in headers if field[0].lower() != "authorization"]
        return [*self.without_identity(kept), ("X-Who-Role", "reader")]

    def without_identity(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Drop what the client says of itself."""
        return [field for field in headers if not _IDENTITY.match(field[0])]

    def refuse(self, client: socket.socket, app: TargetApp, first: str) -> None:
        """Say no."""
        client.sendall(_NO_TOKEN)

    def ask(self, app: TargetApp, first: str, headers: list[tuple[str, str]]) -> bytes:
        """The answer of the app."""
        lines = [first, *(f"{name}: {value}" for name, value in headers), "", ""]
        with Connection(("127.0.0.1", app.app.port)) as connection:
            connection.send("\r\n".join(lines).encode("latin-1"))
            connection.socket.shutdown(socket.SHUT_WR)
            return connection.until_closed()


class LetsEverybodyIn(Gateway):
    """Has its check switched off."""

    def lets_in(self, credentials: list[str]) -> bool:
        return True


class FailsOpen(Gateway):
    """Takes a check that cannot read the question for a yes."""

    def lets_in(self, credentials: list[str]) -> bool:
        try:
            return super().lets_in([value.encode("latin-1").decode("utf-8") for value in credentials])
        except UnicodeDecodeError:
            return True


class LetsInDuringAnOutage(Gateway):
    """Takes no answer for a yes: `failure_mode_allow`."""

    def in_an_outage(self) -> bool:
        return True


class AsksTheAppFirst(Gateway):
    """Refuses, and has sent the request on by then."""

    def refuse(self, client: socket.socket, app: TargetApp, first: str) -> None:
        self.ask(app, first, [("Host", app.host)])
        super().refuse(client, app, first)


class HandsOnTheToken(Gateway):
    """Leaves the credential in the request."""

    def headers_for(self, app: TargetApp, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return [*headers, *super().headers_for(app, [])]


class ForgetsUnderscores(Gateway):
    """Drops identity headers as it writes them, and not as an app may read them."""

    def without_identity(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return [field for field in headers if not field[0].lower().startswith("x-who-")]


class RemembersTheAnswer(Gateway):
    """Caches by nothing but whether somebody was let in before."""

    remembered = False

    def lets_in(self, credentials: list[str]) -> bool:
        self.remembered = self.remembered or super().lets_in(credentials)
        return self.remembered


class Breaks(Gateway):
    """Serves nobody any more after a request that it did not expect."""

    broken = False

    def lets_in(self, credentials: list[str]) -> bool:
        self.broken = self.broken or len(credentials) > 1
        return not self.broken and super().lets_in(credentials)


@contextmanager
def flawed(flaw: type[Gateway], apps: dict[str, TargetApp], secrets: dict[str, str]) -> Iterator[Target]:
    """A running gateway before these apps."""
    gateway = flaw(apps, secrets["token"])

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(TIMEOUT)
            try:
                gateway.serve(self.request)
            except (OSError, KeyError, ValueError):
                return

    class Server(ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield Target(
            address=("127.0.0.1", int(server.server_address[1])),
            identity_prefix="x-who",
            apps=apps,
            secrets={
                role: TargetSecret(secret=secret, identity={"x-who-role": "reader"})
                for role, secret in secrets.items()
            },
            http2=False,
            check=gateway,
        )
        server.shutdown()
        thread.join(TIMEOUT)


def _head(client: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65536)
        if not piece:
            raise ConnectionError("the request was cut off")
        data += piece
    return data.partition(b"\r\n\r\n")[0].decode("latin-1")
