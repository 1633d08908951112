"""The folder of Unix sockets, as `doorward up` uses it."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from doorward_server.home import HomeError, locked, make_home
from doorward_server.settings import Settings
from doorward_server.unix_sockets import is_served, is_socket

_MAX_SOCKET_PATH = 107 - len("/check-63.sock")
"""Bytes that the folder's path may have, from `sockaddr_un.sun_path` on Linux."""


@contextmanager
def run_folder(settings: Settings) -> Iterator[Path]:
    """The folder of Unix sockets: the one that is set, or a temporary one when that has too long a path.

    Held as the home is, since two homes can be set to share it. Raises `HomeError`.
    """
    wanted = settings.run.absolute()
    if len(os.fsencode(wanted)) <= _MAX_SOCKET_PATH:
        make_home(wanted)
        # Not the name of the home's: the two may be one folder.
        with locked(wanted, "run-lock"):
            yield wanted
        return
    short = Path(tempfile.mkdtemp(prefix="doorward-"))
    try:
        yield short
    finally:
        shutil.rmtree(short, ignore_errors=True)


@contextmanager
def owned_sockets(paths: Sequence[Path]) -> Iterator[None]:
    """Have *paths* for the servers that run meanwhile, and nothing left at them afterwards.

    Refuses a socket that somebody listens on already: our own server would not start, and the stranger would
    be taken for it. Other files in the folder are not ours to remove. Raises `HomeError`.
    """
    for path in paths:
        if is_socket(path) and is_served(path):
            raise HomeError(
                f"another program listens on {path}: stop it, or set DOORWARD_RUN_DIR to another folder"
            )
    try:
        yield
    finally:
        # Envoy leaves its own behind, and so does whoever was killed.
        for path in paths:
            if is_socket(path) and not is_served(path):
                path.unlink(missing_ok=True)
