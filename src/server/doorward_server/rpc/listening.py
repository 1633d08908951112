"""Where api listens."""

import errno
import ipaddress
import os
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import grpc

from doorward_server.rpc.tls import TlsError, TlsFiles
from doorward_server.unix_sockets import is_served

# sockaddr_un.sun_path holds 108 bytes on Linux (unix(7)) and 104 on macOS, the last of them NUL.
_MAX_SOCKET_PATH: Final = 103 if sys.platform == "darwin" else 107


class ListenError(Exception):
    """The server cannot listen where it was told to; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where a server listens: on a port, on a Unix socket, or on both."""

    address: str = "127.0.0.1"
    """An IP address of this machine, or that of all its interfaces."""
    port: int | None = None
    """0: any that is free. None: no port."""
    unix_socket: Path | None = None
    """In a folder that only its owner enters. Never with TLS."""
    tls: TlsFiles | None = None
    """For the port. None: plain text."""

    def bind(self, server: grpc.aio.Server) -> int | None:
        """Have *server* listen; answers the port. Raises `ListenError`."""
        port = None if self.port is None else self._bind_port(server, self.port)
        # Last, so that nothing that fails afterwards leaves a file behind.
        if self.unix_socket is not None:
            _bind_socket(server, self.unix_socket.absolute())
        return port

    def _bind_port(self, server: grpc.aio.Server, port: int) -> int:
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            raise ListenError(f"cannot listen on {self.address!r}: it is not an IP address") from None
        where = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
        try:
            if self.tls is None:
                return server.add_insecure_port(where)
            return server.add_secure_port(where, self.tls.credentials())
        except TlsError as error:
            raise ListenError(str(error)) from None
        except RuntimeError:
            raise ListenError(f"cannot listen on {where}: {_why_not(address, port)}") from None

    def release(self) -> None:
        """Remove the file of the Unix socket that was bound."""
        if self.unix_socket is not None:
            self.unix_socket.unlink(missing_ok=True)


def _why_not(address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> str:
    """What the system says of binding there; gRPC tells a program no more than that it failed."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((str(address), port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "the port is in use by another program"
            return error.strerror or str(error)
    return "gRPC could not bind it"


def _bind_socket(server: grpc.aio.Server, path: Path) -> None:
    if len(os.fsencode(path)) > _MAX_SOCKET_PATH:
        raise ListenError(f"the path of the socket {path} has more than {_MAX_SOCKET_PATH} bytes")
    _refuse_taken(path)
    try:
        with _for_owner_alone():
            # Part of a URI here (gRPC naming), so that "%" and "#" must be escaped.
            server.add_insecure_port(f"unix:{quote(str(path))}")
    except RuntimeError:
        raise ListenError(f"cannot listen on the socket {path}: is its folder there, and yours?") from None


def _refuse_taken(path: Path) -> None:
    """Raise `ListenError` unless there is nothing, or a socket that nobody serves, which gRPC replaces."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise ListenError(f"cannot listen on the socket {path}: {error.strerror}") from None
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"{path} exists and is not a socket; it is left as it is")
    if is_served(path):
        raise ListenError(f"another server listens on {path}")


@contextmanager
def _for_owner_alone() -> Iterator[None]:
    """Make files of mode 0600. Of the whole process, so for moments alone."""
    former = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(former)
