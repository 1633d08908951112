"""How Checks reach this replica: gRPC on a Unix socket that only its owner can open."""

import logging
from pathlib import Path
from typing import Literal, assert_never

from doorward_server.check.transports.contract import Handler, Limits, Transport, TransportError
from doorward_server.check.transports.server import Listen, SocketServer

__all__ = ["Handler", "Limits", "Transport", "TransportError", "TransportKind", "open_transport"]

TransportKind = Literal["auto", "native", "grpcio"]

_log = logging.getLogger(__name__)


def open_transport(
    kind: TransportKind, *, path: Path, handler: Handler, limits: Limits | None = None
) -> Transport:
    """Make a transport for the socket at ``path``; it listens once it is started.

    ``native`` is some ten times as fast as ``grpcio``, and has wheels for Linux and macOS alone;
    ``auto`` takes it where it is installed. Raises `TransportError` when ``native`` is asked for and is not.
    """
    return SocketServer(path=path, handler=handler, limits=limits or Limits(), listen=_engine(kind))


def _engine(kind: TransportKind) -> Listen:
    match kind:
        case "native":
            try:
                return _native()
            except ImportError as fault:
                raise TransportError(f"the native transport needs pygrpc-native: {fault}") from fault
        case "grpcio":
            return _grpcio()
        case "auto":
            try:
                return _native()
            except ImportError:
                _log.warning("pygrpc-native is not installed; Checks go through the slower grpcio")
                return _grpcio()
        case _:
            assert_never(kind)


def _native() -> Listen:
    from doorward_server.check.transports.native import listen  # noqa: PLC0415 -- has no wheel everywhere

    return listen


def _grpcio() -> Listen:
    from doorward_server.check.transports.grpcio import listen  # noqa: PLC0415 -- only where it is used

    return listen
