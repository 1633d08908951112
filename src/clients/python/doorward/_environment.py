"""Where the api is and which token to use, when the program does not say so itself."""

import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from doorward._exceptions import ConfigurationError
from doorward._target import parse_target

ENDPOINTS = "endpoints.json"
"""Where `doorward up` writes its addresses."""

MAX_FILE_BYTES = 65_536
"""No file that is read here is larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An api's address and the token to use there."""

    address: str
    token: str | None = field(repr=False)
    ca_file: str | None = None
    """The PEM file that the environment names. None: the connection is what its address makes it."""


def find_connection(
    environ: Mapping[str, str], *, address: str | None = None, token: str | None = None
) -> Connection:
    """Return the connection to use: what is given, else the environment's, else that of `doorward up`.

    `DOORWARD_ADDRESS` and `DOORWARD_TOKEN` come first, and `DOORWARD_CA_FILE` goes with every address; then
    the files `endpoints.json` and `admin-token` that `doorward up` leaves in `DOORWARD_HOME` (`.doorward` in
    the current folder by default). The admin token in that folder is only ever used for the address in that
    folder. Raises `ConfigurationError`.
    """
    address = address or environ.get("DOORWARD_ADDRESS") or None
    token = token or environ.get("DOORWARD_TOKEN") or None
    ca_file = environ.get("DOORWARD_CA_FILE") or None
    if address and token:
        return Connection(address=address, token=token, ca_file=ca_file)
    home = Path(environ.get("DOORWARD_HOME") or ".doorward")
    if address is None:
        address = _address_of(home)
        return Connection(address=address, token=token or _token_of(home), ca_file=ca_file)
    # An address elsewhere has nothing to do with this home, whatever state that is in.
    ours = parse_target(address).local and (home / ENDPOINTS).exists() and address == _address_of(home)
    return Connection(address=address, token=_token_of(home) if ours else None, ca_file=ca_file)


def read_token(file: Path) -> str:
    """Return the token that *file* holds. Raises `ConfigurationError`, which never has what is in it."""
    text = _read(file).strip()
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ConfigurationError(f"{file}: expected one token and nothing else")
    return text


def _address_of(home: Path) -> str:
    """Return the api's address in a home, which is one of this machine.

    A folder may come from somebody else, as part of an archive or a checkout. What is in it must not be able
    to send a token away.
    """
    file = home / ENDPOINTS
    if not file.exists():
        raise ConfigurationError(
            "no address: set DOORWARD_ADDRESS, or DOORWARD_HOME to the folder of a running `doorward up` "
            f"(there is no {file})"
        )
    text = _read_own(file)
    try:
        address = json.loads(text)["api_grpc"]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{file}: not written by `doorward up`: no api_grpc in it") from error
    if not isinstance(address, str) or not parse_target(address).local:
        raise ConfigurationError(
            f"{file}: {address!r} is not on this machine: set DOORWARD_ADDRESS to use it"
        )
    return address


def _token_of(home: Path) -> str | None:
    file = home / "admin-token"
    if not file.exists():
        return None
    _read_own(file)
    return read_token(file)


def _read_own(file: Path) -> str:
    """Return the text of a file that nobody else can have written."""
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
    return _read(file)


def _read(file: Path) -> str:
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
