"""Changing the file of the profiles: one process at a time, and whole or not at all."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from doorward._exceptions import ConfigurationError
from doorward._profiles import Profile, Profiles, profiles_file, read_profiles
from doorward.cli._token_store import write_privately


@dataclass(slots=True)
class Changes:
    """The profiles as they are to be; what is in them when the `with` block ends is written."""

    folder: Path
    current: str | None
    profiles: dict[str, Profile] = field(default_factory=dict)


@contextmanager
def changed_profiles(environ: Mapping[str, str]) -> Iterator[Changes]:
    """Yield the profiles to be changed, with nobody else changing them. Raises `ConfigurationError`."""
    file = profiles_file(environ)
    if file is None:
        raise ConfigurationError("there is no place for profiles: set HOME or XDG_CONFIG_HOME")
    with _locked(file.parent):
        before = read_profiles(environ)
        changes = Changes(file.parent, before.current, dict(before.profiles))
        yield changes
        after = Profiles(file=file, current=changes.current, profiles=changes.profiles)
        if after != replace(before, file=file):
            write_privately(file, after.as_toml())


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ConfigurationError(f"{folder}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
