"""Where a profile keeps its token: the system's keyring where there is one that works, else a file.

Nothing here shows a token, nor what a keyring says about it.
"""

import os
import secrets
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from doorward._exceptions import ConfigurationError
from doorward._profiles import KEYRING_SERVICE, Profile

_RECOMMENDED = 1
"""The least priority of a backend that keeps secrets; those below keep them in plain text, or nowhere."""


def keep_in_keyring(name: str, token: str) -> str | None:
    """Keep a token in the system's keyring, and return what the keyring calls itself; None when it does not.

    It is read back: a keyring that is locked, or loses what it is given, is none.
    """
    with suppress(Exception):  # backends raise whatever their system does, and a file will do
        keyring = import_module("keyring")
        backend = keyring.get_keyring()
        if backend.priority < _RECOMMENDED:
            return None
        keyring.set_password(KEYRING_SERVICE, name, token)
        if keyring.get_password(KEYRING_SERVICE, name) == token:
            return str(getattr(backend, "name", type(backend).__name__))
        keyring.delete_password(KEYRING_SERVICE, name)
    return None


def keep_in_file(folder: Path, name: str, token: str) -> str:
    """Keep a token in a file that only its owner can read, and return its name below *folder*."""
    file = f"{name}.token"
    write_privately(folder / file, token + "\n")
    return file


def forget(folder: Path, profile: Profile) -> None:
    """Take a profile's token away from where it is kept; one that is not there is forgotten already.

    Raises `ConfigurationError` when it cannot be taken away.
    """
    if profile.token_file is not None:
        try:
            (folder / profile.token_file).unlink(missing_ok=True)
        except OSError as error:
            raise ConfigurationError(f"{folder / profile.token_file}: {error.strerror}") from error
    if profile.keyring is not None:
        _forget_in_keyring(profile.keyring)


def _forget_in_keyring(account: str) -> None:
    try:
        keyring: Any = import_module("keyring")
    except ModuleNotFoundError as error:
        raise ConfigurationError("the profile's token is in the keyring: pip install keyring") from error
    try:
        if keyring.get_password(KEYRING_SERVICE, account) is not None:
            keyring.delete_password(KEYRING_SERVICE, account)
    except Exception as error:
        raise ConfigurationError(f"the keyring keeps the token: {type(error).__name__}") from error


def write_privately(file: Path, text: str) -> None:
    """Write a file for its owner alone, whole or not at all. Raises `ConfigurationError`."""
    part = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(file)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
