"""One transport from start to close: the socket file, the health status, and the engine that speaks gRPC."""

import logging
import threading
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from doorward_server.check.transports.calls import Procedure, procedures
from doorward_server.check.transports.contract import Handler, Limits, TransportError
from doorward_server.check.transports.health import Health
from doorward_server.check.transports.socket_file import SocketFile

_log = logging.getLogger(__name__)


class Engine(Protocol):
    """A gRPC server that is listening; it runs procedures one at a time, in threads of its own."""

    def drain(self, grace_seconds: float) -> None:
        """Answer the calls in flight, end those that take longer than the grace period, and stop."""
        ...


Listen = Callable[[Path, Mapping[str, Procedure], Limits], Engine]
"""Binds a Unix socket and serves the procedures as unary methods; raises `OSError`."""


class SocketServer:
    """A `Transport` over any engine."""

    def __init__(self, *, path: Path, handler: Handler, limits: Limits, listen: Listen) -> None:
        self._engine: Engine | None = None
        self._limits = limits
        self._health = Health()
        self._procedures = procedures(handler=handler, health=self._health, limits=limits)
        self._socket = SocketFile(path)
        self._listen = listen
        self._lock = threading.Lock()
        self._closed = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._socket.path)!r})"

    def start(self) -> None:
        with self._lock:
            if self._engine is not None or self._closed:
                raise TransportError(f"{self!r} was started or closed before; a transport serves once")
            try:
                with self._socket.claim() as path:
                    self._engine = self._listen(path, self._procedures, self._limits)
            except OSError as fault:
                raise TransportError(f"cannot listen on {self._socket.path}: {fault}") from fault
        _log.info("Answering Checks on %s", self._socket.path)

    def set_serving(self, serving: bool) -> None:
        self._health.set_serving(serving)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._stop(self._limits.grace_seconds)

    def _stop(self, grace_seconds: float) -> None:
        engine, self._engine = self._engine, None
        if engine is None:
            return
        self._health.set_serving(False)
        # The file goes first: who connects from now on is refused at once and asks another replica.
        self._socket.release()
        engine.drain(grace_seconds)

    def __del__(self) -> None:
        if self._engine is not None:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
            self._stop(0)
