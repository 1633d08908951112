"""Where the api is and which token to use, when the program does not say so itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from doorward._exceptions import ConfigurationError
from doorward._files import read_own, read_own_token
from doorward._profiles import Profiles, read_profiles
from doorward._target import parse_target

ENDPOINTS = "endpoints.json"
"""Where `doorward up` writes its addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An api's address and the token to use there."""

    address: str
    token: str | None = field(repr=False)
    ca_file: str | None = None
    """The PEM file that the environment names. None: the connection is what its address makes it."""
    insecure: bool = False
    """Whether a profile allows plain text to an address that is not on this machine."""


def find_connection(
    environ: Mapping[str, str],
    *,
    address: str | None = None,
    token: str | None = None,
    profile: str | None = None,
) -> Connection:
    """Return the connection to use: what is given, or the environment says, or is kept on this machine.

    `DOORWARD_ADDRESS` and `DOORWARD_TOKEN` come first, and `DOORWARD_CA_FILE` goes with every address. What
    they do not say comes from

    - the profile that `DOORWARD_PROFILE` names (see `doorward._profiles`),
    - the files `endpoints.json` and `admin-token` that `doorward up` leaves in `DOORWARD_HOME`, or in
      `.doorward` in the current folder,
    - the profile that is the current one.

    A *profile* that is given goes before the environment, which then fills in what the profile lacks. A token
    that is kept for an address is only ever used for that address. Raises `ConfigurationError`.
    """
    first = environ if profile is None else {}
    address = address or first.get("DOORWARD_ADDRESS") or None
    token = token or first.get("DOORWARD_TOKEN") or None
    ca_file = first.get("DOORWARD_CA_FILE") or None
    if profile is None and address and token:
        return Connection(address=address, token=token, ca_file=ca_file)
    home = Path(environ.get("DOORWARD_HOME") or ".doorward")
    chosen = profile or environ.get("DOORWARD_PROFILE") or None
    profiles = Profiles(file=home)
    if chosen or (address is None and not environ.get("DOORWARD_HOME") and not (home / ENDPOINTS).exists()):
        profiles = read_profiles(environ)
        chosen = chosen or profiles.current
    if chosen and address in {None, profiles.named(chosen).address}:
        stored = profiles.named(chosen)
        return Connection(
            address=stored.address,
            token=token or profiles.token(chosen) or environ.get("DOORWARD_TOKEN") or None,
            ca_file=ca_file
            or stored.ca_file
            or (None if stored.insecure else environ.get("DOORWARD_CA_FILE") or None),
            insecure=stored.insecure and ca_file is None,
        )
    if address is None:
        address = _address_of(home)
        return Connection(address=address, token=token or _token_of(home), ca_file=ca_file)
    # An address elsewhere has nothing to do with this home, whatever state that is in.
    ours = parse_target(address).local and (home / ENDPOINTS).exists() and address == _address_of(home)
    return Connection(address=address, token=token or (_token_of(home) if ours else None), ca_file=ca_file)


def _address_of(home: Path) -> str:
    """Return the api's address in a home, which is one of this machine.

    A folder may come from somebody else, as part of an archive or a checkout. What is in it must not be able
    to send a token away.
    """
    file = home / ENDPOINTS
    if not file.exists():
        raise ConfigurationError(
            "no address: set DOORWARD_ADDRESS, or DOORWARD_PROFILE to one of your profiles, or DOORWARD_HOME "
            f"to the folder of a running `doorward up` (there is no {file})"
        )
    text = read_own(file)
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
    return read_own_token(file) if file.exists() else None
