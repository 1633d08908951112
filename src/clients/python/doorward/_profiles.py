"""Profiles: the apis that somebody uses, by name, and where the token for each is kept.

They stand in `profiles.toml` in the folder `doorward` of `XDG_CONFIG_HOME`, or of `~/.config` without it:

    current = "production"

    [profiles.production]
    address = "api.example.com:443"
    ca_file = "/etc/ssl/example.pem"    # when no public authority has signed the certificate
    keyring = "production"              # the account, in the system's keyring, of the service `doorward`

    [profiles.laptop]
    address = "127.0.0.1:8081"
    token_file = "laptop.token"         # relative to the folder of this file

The file holds no secret, and yet says where one is sent: it is refused when others can write it.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib import import_module
from pathlib import Path
from typing import Any

from doorward._exceptions import ConfigurationError
from doorward._files import read_own, read_own_token
from doorward._target import parse_target

KEYRING_SERVICE = "doorward"
"""The service whose accounts in the system's keyring are named by profiles."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One api, and where the token for it is kept: in the keyring, in a file, or nowhere."""

    address: str
    ca_file: str | None = None
    """The PEM file with the authorities that may have signed the api's certificate."""
    insecure: bool = False
    """Whether the token may go there unencrypted, also when that is not on this machine."""
    keyring: str | None = None
    """The account of the keyring's service `doorward` whose password is the token."""
    token_file: str | None = None
    """The file with the token, relative to the folder of the profiles."""

    def __post_init__(self) -> None:
        for name in ("address", "ca_file", "keyring", "token_file"):
            value = getattr(self, name)
            if value is None and name != "address":
                continue
            if not isinstance(value, str) or not value or not value.isprintable():
                raise ConfigurationError(f"{name}: expected text")
        if not isinstance(self.insecure, bool):
            raise ConfigurationError("insecure: expected true or false")
        parse_target(self.address)
        if self.keyring and self.token_file:
            raise ConfigurationError("keyring and token_file contradict each other: give one of them")
        if self.insecure and self.ca_file:
            raise ConfigurationError("insecure and ca_file contradict each other: give one of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """Everything that is in the file; what is empty may as well not be there."""

    file: Path
    current: str | None = None
    """The profile that is used when none is named."""
    profiles: Mapping[str, Profile] = field(default_factory=dict)

    def named(self, name: str) -> Profile:
        """Return a profile. Raises `ConfigurationError` with the names of those that there are."""
        if name not in self.profiles:
            known = ", ".join(self.profiles) or "none"
            raise ConfigurationError(f"{self.file}: no profile {name!r}, only {known}")
        return self.profiles[name]

    def token(self, name: str) -> str | None:
        """Return the token of a profile, or None for one that keeps none. Raises `ConfigurationError`."""
        profile = self.named(name)
        if profile.keyring is not None:
            return _from_keyring(profile.keyring)
        if profile.token_file is not None:
            return read_own_token(self.file.parent / profile.token_file)
        return None

    def as_toml(self) -> str:
        """Return the text of the file, which `read_profiles` reads as these profiles."""
        lines = [] if self.current is None else [f"current = {_quoted(self.current)}", ""]
        for name, profile in self.profiles.items():
            lines.append(f"[profiles.{checked_name(name)}]")
            for each in fields(profile):
                value = getattr(profile, each.name)
                if value is True:
                    lines.append(f"{each.name} = true")
                elif value:
                    lines.append(f"{each.name} = {_quoted(value)}")
            lines.append("")
        return "\n".join(lines)


def profiles_file(environ: Mapping[str, str]) -> Path | None:
    """Return where the profiles are, whether or not there are any; None when *environ* names no folder.

    A relative `XDG_CONFIG_HOME` does not count (XDG Base Directory Specification).
    """
    config = environ.get("XDG_CONFIG_HOME") or ""
    if not Path(config).is_absolute():
        home = environ.get("HOME") or ""
        if not Path(home).is_absolute():
            return None
        config = str(Path(home) / ".config")
    return Path(config) / "doorward" / "profiles.toml"


def read_profiles(environ: Mapping[str, str]) -> Profiles:
    """Return the profiles of whoever has *environ*, none without a file. Raises `ConfigurationError`."""
    file = profiles_file(environ)
    if file is None or not file.exists():
        return Profiles(file=file or Path("profiles.toml"))
    try:
        return _parsed(file, tomllib.loads(read_own(file)))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: {error}") from error


def _parsed(file: Path, data: dict[str, Any]) -> Profiles:
    current, tables = data.pop("current", None), data.pop("profiles", {})
    if data:
        raise ConfigurationError(f"{file}: unknown: {', '.join(data)}")
    if not isinstance(tables, dict):
        raise ConfigurationError(f"{file}: profiles: expected tables")
    profiles = {name: _profile(file, name, table) for name, table in tables.items()}
    if current is not None and current not in profiles:
        raise ConfigurationError(f"{file}: current: no profile {current!r}")
    return Profiles(file=file, current=current, profiles=profiles)


def _profile(file: Path, name: str, table: object) -> Profile:
    where = f"{file}: profile {name!r}"
    if not isinstance(table, dict):
        raise ConfigurationError(f"{where}: expected a table")
    unknown = table.keys() - {each.name for each in fields(Profile)}
    if unknown:
        raise ConfigurationError(f"{where}: unknown: {', '.join(sorted(unknown))}")
    if "address" not in table:
        raise ConfigurationError(f"{where}: address is missing")
    try:
        checked_name(name)
        return Profile(**table)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error


def checked_name(name: str) -> str:
    """Return *name* when a profile can have it. Raises `ConfigurationError`."""
    if not _NAME.fullmatch(name):
        raise ConfigurationError("a profile's name has 1 to 64 letters, digits, '_' and '-'")
    return name


def _quoted(text: str) -> str:
    """Return *text*, which is printable, as a string of TOML; in that JSON writes it alike."""
    return json.dumps(text, ensure_ascii=False)


def _from_keyring(account: str) -> str:
    """Return the token that the system's keyring has; the package is needed for such profiles alone."""
    try:
        keyring = import_module("keyring")
    except ModuleNotFoundError as error:
        raise ConfigurationError("the profile's token is in the keyring: pip install keyring") from error
    try:
        token = keyring.get_password(KEYRING_SERVICE, account)
    except keyring.errors.KeyringError as error:
        raise ConfigurationError(f"keyring: {type(error).__name__}") from error
    if token is None:
        raise ConfigurationError(
            f"the keyring has no token of {account!r} for {KEYRING_SERVICE}: log in anew"
        )
    return str(token)
