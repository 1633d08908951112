"""Folders of apps, in which the apps can do what they like."""

import errno
import os
import shutil
import stat
from pathlib import Path


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for the server's user alone. Raises OSError."""
    if not folder.is_dir():
        private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def open_regular(path: Path | str, flags: int) -> int:
    """Open a file that is really one; a new one is for the server's user alone. Raises OSError.

    An app could have put a link in its place, or a FIFO, which would keep us waiting for ever.
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "Not a regular file", str(path))


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it. Links are removed, never followed. Raises OSError."""
    if not folder.exists():
        return
    for root, names, _ in os.walk(folder):
        for name in names:
            path = Path(root, name)
            if not path.is_symlink():
                # One that may not be entered could not be emptied.
                path.chmod(0o700)
    shutil.rmtree(folder)
