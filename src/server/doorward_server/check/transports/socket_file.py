"""The file of a Unix socket: who may reach it, and whose it is.

A server binds under a name of the moment; the file gets the socket's name once it is narrowed to its owner.
So nobody connects before that, and a server that unlinks what it bound when it closes (grpcio and
pygrpc-native do, by path) cannot take away its successor's socket.
"""

import contextlib
import fcntl
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from doorward_server.check.transports.contract import TransportError
from doorward_server.unix_sockets import is_served

# sockaddr_un.sun_path holds 108 bytes on Linux (unix(7)) and 104 on macOS, the last of them NUL.
MAX_PATH_BYTES = 103 if sys.platform == "darwin" else 107

_LOCK_SECONDS = 5.0


class SocketFile:
    """One socket's path, from the claim before binding to the removal after closing."""

    __slots__ = ("_identity", "path")

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._identity: tuple[int, int] | None = None

    @contextlib.contextmanager
    def claim(self) -> Iterator[Path]:
        """Give a path to bind a server to inside this block; after the block it has its own name.

        Replaces a socket that nobody listens on. Claims in one directory take turns, so that of two servers
        that start at once neither takes the other's fresh socket for a stale one.

        Raises `TransportError` when the path is too long, something other than a dead socket is there, or the
        directory can be entered by anyone else.
        """
        momentary = self.path.with_name(f".{secrets.token_hex(4)}")
        size = max(len(os.fsencode(self.path)), len(os.fsencode(momentary)))
        if size > MAX_PATH_BYTES:
            raise TransportError(
                f"the socket path {self.path} takes {size} bytes; "
                f"this system allows at most {MAX_PATH_BYTES}: choose a shorter directory"
            )
        with _locked(_private_directory(self.path.parent)):
            _refuse_taken(self.path)
            try:
                yield momentary
                momentary.chmod(0o600)
                self._identity = _identity(momentary)
                momentary.replace(self.path)
            finally:
                momentary.unlink(missing_ok=True)

    def release(self) -> None:
        """Remove the file if it is still the one that was bound here."""
        identity, self._identity = self._identity, None
        with contextlib.suppress(FileNotFoundError):
            if identity is not None and _identity(self.path) == identity:
                self.path.unlink()


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino


def _private_directory(directory: Path) -> Path:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.stat()
    except OSError as fault:
        raise TransportError(f"cannot make the socket directory {directory}: {fault.strerror}") from fault
    if found.st_uid != os.geteuid():
        raise TransportError(
            f"the socket directory {directory} belongs to user {found.st_uid}, "
            f"but this process runs as user {os.geteuid()}"
        )
    if found.st_mode & 0o077:
        raise TransportError(
            f"the socket directory {directory} is open to others (mode {stat.S_IMODE(found.st_mode):04o}): "
            f"chmod 700 {directory}"
        )
    return directory


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TransportError(
                        f"another process has been binding a socket in {directory} for {_LOCK_SECONDS:.0f} s"
                    ) from None
                time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


def _refuse_taken(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise TransportError(f"{path} exists and is not a socket; it is left as it is")
    if is_served(path):
        raise TransportError(f"another server is listening on {path}: stop it, or choose another path")
