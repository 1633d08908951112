"""The files of Unix sockets."""

import errno
import os
import socket
import stat
from pathlib import Path


def is_socket(path: Path) -> bool:
    """Whether there is a socket at *path*; a symbolic link to one is none."""
    try:
        return stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def is_served(path: Path) -> bool:
    """Whether somebody listens on the socket at *path*."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        answer = probe.connect_ex(os.fspath(path))
    # A full backlog (EAGAIN) is a server too: only these two say that nobody is there.
    return answer not in {errno.ECONNREFUSED, errno.ENOENT}
