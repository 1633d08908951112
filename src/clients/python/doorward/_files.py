"""Files that say where a token goes, or what it is: read with the care that asks for."""

import os
import re
import stat
from pathlib import Path

from doorward._exceptions import ConfigurationError

MAX_FILE_BYTES = 65_536
"""No file that is read here is larger."""


def read_token(file: Path) -> str:
    """Return the token that *file* holds. Raises `ConfigurationError`, which never has what is in it."""
    text = read_text(file).strip()
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ConfigurationError(f"{file}: expected one token and nothing else")
    return text


def read_own_token(file: Path) -> str:
    """Return the token in a file that nobody else can have written."""
    refuse_writable(file)
    return read_token(file)


def read_own(file: Path) -> str:
    """Return the text of a file that nobody else can have written."""
    refuse_writable(file)
    return read_text(file)


def refuse_writable(file: Path) -> None:
    """Raise `ConfigurationError` for a file that somebody else can have written."""
    try:
        status = file.stat()
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    if status.st_uid != os.geteuid():
        raise ConfigurationError(f"{file}: belongs to another user: set DOORWARD_ADDRESS and DOORWARD_TOKEN")
    writable = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    reachable = file.parent.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH)
    if writable and reachable:  # under a umask of 002 only the folder keeps others out, and it does
        raise ConfigurationError(f"{file}: others may write to it: chmod go-w {file}")


def read_text(file: Path) -> str:
    """Return the text of a file of reasonable size. Raises `ConfigurationError`."""
    try:
        with file.open(encoding="utf-8") as stream:
            text = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file}: not text") from error
    if len(text) > MAX_FILE_BYTES:
        raise ConfigurationError(f"{file}: larger than {MAX_FILE_BYTES} bytes")
    return text
