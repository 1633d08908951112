"""The Unix socket of the web process."""

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class WebListenError(Exception):
    """The process cannot listen where it was told to; the text says why."""


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """Listen on a Unix socket of mode 0600; one that nobody serves any more is replaced."""
    _refuse_taken(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    former = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        listener.listen(128)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise WebListenError(f"cannot listen on the socket {path}: {error.strerror or error}") from None
    finally:
        os.umask(former)
    try:
        yield listener
    finally:
        listener.close()
        path.unlink(missing_ok=True)


def _refuse_taken(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise WebListenError(f"cannot listen on the socket {path}: {error.strerror}") from None
    if not stat.S_ISSOCK(mode):
        raise WebListenError(f"{path} exists and is not a socket; it is left as it is")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if probe.connect_ex(str(path)) != errno.ECONNREFUSED:
            raise WebListenError(f"another server listens on {path}")
