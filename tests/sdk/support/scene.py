"""What the journeys happen in: a real platform, an unsteady api, and addresses where nobody answers."""

import socket
import struct
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.platform import Platform, running_platform
from tests.sdk.support.unsteady import Unsteady, codes, unsteady

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All of it, once for all journeys of a language."""

    platform: Platform
    unsteady: Unsteady
    app: RecordingApp
    ca_file: Path
    silent: str
    """Where a connection is taken, and nothing said."""
    broken: str
    """Where a connection is taken, and broken off at the first word."""
    nobody: str
    """Where nobody listens."""

    def address(self, place: str, *, web: bool) -> str:
        """Return the address that a table calls *place*, for gRPC or for gRPC-Web."""
        if place == "api":
            host, port = self.platform.address
            return f"{host}:{port}" if web else self.platform.endpoints.api_grpc
        known = {
            "socket": f"unix:{self.platform.run / 'api.sock'}",
            "unsteady": self.unsteady.address,
            "encrypted": self.unsteady.tls_address,
            "silent": self.silent,
            "broken": self.broken,
            "nobody": self.nobody,
        }
        return known[place]

    def values(self, user_agent: str) -> dict[str, Any]:
        """Return what a table may name, new for each case."""
        return {
            "admin": self.platform.admin_token,
            "unique": f"u{uuid.uuid4().hex}",
            "uuid": str(uuid.uuid4()),
            "app_address": f"127.0.0.1:{self.app.port}",
            "hello": [sys.executable, str(ROOT / "examples" / "hello.py"), "--port", "{port}"],
            "ca_file": str(self.ca_file),
            "user_agent": user_agent,
        }

    @property
    def environment(self) -> dict[str, str]:
        """What a program has in its environment to reach the platform as its owner."""
        return {
            "DOORWARD_ADDRESS": self.platform.endpoints.api_grpc,
            "DOORWARD_TOKEN": self.platform.admin_token,
        }

    @staticmethod
    def reasons() -> list[dict[str, str]]:
        """Return each error reason with its status."""
        return [{"reason": reason, "code": code.name} for reason, code in codes().items()]


@contextmanager
def breaking_off() -> Iterator[str]:
    """Serve an address where every connection is reset as soon as something was said."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1)
            # Closed with unsent data to be dropped: the other side hears a reset.
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield "127.0.0.1:{1}".format(*server.server_address)
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """Set it; *folder* is for files."""
    with (
        running_platform() as platform,
        unsteady() as server,
        RecordingApp() as app,
        socket.create_server(("127.0.0.1", 0)) as silent,
        breaking_off() as broken,
    ):
        certificate, _ = server.certificate.write(folder)
        yield Scene(
            platform=platform,
            unsteady=server,
            app=app,
            ca_file=certificate,
            silent="127.0.0.1:{1}".format(*silent.getsockname()),
            broken=broken,
            # A port that nobody may listen on without being root, and nobody does.
            nobody="127.0.0.1:1",
        )
