"""The file of the platform key: beside the database, never in it, and readable by its owner alone."""

import json
import os
import secrets
import stat
from pathlib import Path

from doorward_server.domain.credentials import PlatformKey

_KEY_LENGTH = 32


class PlatformKeyError(Exception):
    """The file of the platform key cannot be used. The text never holds the key."""


def load_platform_key(path: Path) -> PlatformKey:
    """Read the key; raises `PlatformKeyError` when it is missing, open to others, or not a key."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise PlatformKeyError(
            f"{path} does not exist: put it back, or make the first one with `doorward init`"
        ) from None
    except OSError as error:
        raise PlatformKeyError(f"cannot read {path}: {error.strerror}") from None
    with os.fdopen(descriptor) as file:
        # Of the open file, not of the path: nobody can swap it in between.
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise PlatformKeyError(f"{path} has the mode {mode:04o}, open to others: chmod 600 {path}")
        try:
            content = json.load(file)
            key = PlatformKey(content["key_id"], bytes.fromhex(content["key"]))
        except (ValueError, KeyError, TypeError):
            raise PlatformKeyError(f"{path} is not a platform key") from None
    if len(key.material) != _KEY_LENGTH:
        raise PlatformKeyError(f"{path} is not a platform key")
    return key


def ensure_platform_key(path: Path) -> PlatformKey:
    """Read the key, made anew when there is none; raises `PlatformKeyError`."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return load_platform_key(path)
    except OSError as error:
        raise PlatformKeyError(f"cannot write {path}: {error.strerror}") from None
    with os.fdopen(descriptor, "w") as file:
        json.dump({"key_id": secrets.token_hex(4), "key": secrets.token_hex(_KEY_LENGTH)}, file)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    return load_platform_key(path)
