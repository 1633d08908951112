"""`doorward login` and `doorward logout`."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import click

import doorward
from doorward._environment import ENDPOINTS, find_connection
from doorward._files import MAX_FILE_BYTES, read_token
from doorward._profiles import Profile, checked_name, read_profiles
from doorward.cli._examples import examples
from doorward.cli._exit_codes import FAILED
from doorward.cli._fields import role
from doorward.cli._output import print_data, print_fields
from doorward.cli._profile_changes import changed_profiles
from doorward.cli._report import fail, note
from doorward.cli._session import (
    Session,
    output_option,
    pass_session,
    profile_option,
    transport_options,
)
from doorward.cli._token_store import forget, keep_in_file, keep_in_keyring

DEFAULT = "default"
"""The profile that a login makes when no other is named."""


@click.command(
    short_help="Keep an api and a token for it as a profile.",
    epilog=examples(
        "doorward login api.example.com:443",
        "doorward login api.example.com:443 --profile production --ca-file /etc/ssl/example.pem",
        "doorward login --profile production < token",
        "doorward login 127.0.0.1:8081 --token-file .doorward/admin-token",
    ),
)
@click.argument("address", required=False, metavar="[ADDRESS]")
@click.option("--no-keyring", is_flag=True, help="Keep the token in a file, also where there is a keyring.")
@profile_option
@transport_options
@output_option()
@pass_session
def login(session: Session, *, address: str | None, no_keyring: bool) -> None:
    """Keep an api's ADDRESS and a token for it as a profile, and use it from now on.

    Asks for the token without showing it; reads it from standard input when that is no terminal, or from
    --token-file. The api is asked whose token it is before anything is kept. It is kept in the system's
    keyring where there is one (pip install 'doorward[keyring]'), else in a file that only you can read.

    Without ADDRESS it is a new token for the profile that --profile names, or the current one; where there is
    none, for the api that would be used without a login.
    """
    stored = read_profiles(os.environ)
    current = stored.current if address is None else None
    name = checked_name(session.profile or os.environ.get("DOORWARD_PROFILE") or current or DEFAULT)
    known = stored.profiles.get(name)
    profile = _profile(session, address, known)
    token = _token(session.token_file)
    with session.client_of(profile, token) as client:
        who = client.whoami()
    kept = _keep(name, profile, token, use_keyring=not no_keyring)
    if known is not None and known.address != profile.address:
        note(f"the profile {name} was for {known.address} until now")
    _print_login(session, name, profile.address, who, kept)


@click.command(
    short_help="Forget a profile and its token.",
    epilog=examples("doorward logout", "doorward logout --profile production"),
)
@profile_option
@pass_session
def logout(session: Session) -> int | None:
    """Forget a profile and its token: the one that is named, else the current one.

    The token itself goes on working: `doorward tokens delete` ends it.
    """
    with changed_profiles(os.environ) as changes:
        name = session.profile or os.environ.get("DOORWARD_PROFILE") or changes.current
        if name is None:
            return fail("there is no profile to log out of", FAILED)
        if name not in changes.profiles:
            return fail(f"there is no profile {name!r}", FAILED)
        forget(changes.folder, changes.profiles[name])
        del changes.profiles[name]
        if changes.current == name:
            changes.current = None
    click.echo(f"logged out of {name}")
    return None


def _profile(session: Session, address: str | None, known: Profile | None) -> Profile:
    """Return the profile to be, without its token: what is given, else what is known of the same api."""
    address = address or (known.address if known else find_connection(os.environ).address)
    same = known if known is not None and known.address == address else None
    stored = same.ca_file if same else None
    ca_file = session.ca_file or stored or os.environ.get("DOORWARD_CA_FILE") or None
    insecure = session.insecure if session.insecure is not None else bool(same and same.insecure)
    if insecure and session.ca_file is None:
        ca_file = None
    return Profile(
        address=address, ca_file=None if ca_file is None else str(Path(ca_file).absolute()), insecure=insecure
    )


def _token(file: Path | None) -> str:
    """Return the token that a person types, or a program hands over; never from the command line."""
    if file is not None and str(file) != "-":
        return read_token(file)
    if file is None and sys.stdin.isatty():
        typed: str = click.prompt("Token", hide_input=True, err=True)
        return typed.strip()
    token = sys.stdin.read(MAX_FILE_BYTES).strip()
    if not token or len(token.split()) > 1:
        raise click.UsageError("standard input: expected one token and nothing else")
    return token


def _keep(name: str, profile: Profile, token: str, *, use_keyring: bool) -> dict[str, str]:
    """Keep a profile and its token, make it the current one, and return where the token is."""
    with changed_profiles(os.environ) as changes:
        former = changes.profiles.get(name)
        backend = keep_in_keyring(name, token) if use_keyring else None
        if backend is not None:
            profile = replace(profile, keyring=name)
            kept = {"keyring": backend}
        else:
            file = keep_in_file(changes.folder, name, token)
            profile = replace(profile, token_file=file)
            kept = {"file": str(changes.folder / file)}
        if former is not None:
            elsewhere = replace(
                former,
                keyring=None if former.keyring == profile.keyring else former.keyring,
                token_file=None if former.token_file == profile.token_file else former.token_file,
            )
            forget(changes.folder, elsewhere)
        changes.profiles[name] = profile
        changes.current = name
    return kept


def _print_login(
    session: Session, name: str, address: str, who: doorward.Token, kept: dict[str, str]
) -> None:
    if session.output != "table":
        data = {"profile": name, "address": address, "tokenId": who.token_id, "kept": kept}
        print_data(data, session.output)
    else:
        where = f"the keyring, {kept['keyring']}" if "keyring" in kept else f"{kept['file']}, for you alone"
        print_fields(
            [
                ("PROFILE", f"{name}, the current one"),
                ("ADDRESS", address),
                ("TOKEN", f"{who.token_id}, {who.display_name}, {role(who)}"),
                ("KEPT IN", where),
            ]
        )
    closer = [
        name for name in ("DOORWARD_ADDRESS", "DOORWARD_TOKEN", "DOORWARD_HOME") if os.environ.get(name)
    ]
    if not closer and Path(".doorward", ENDPOINTS).exists():
        closer = ["the `doorward up` of this folder"]
    if closer:
        note(f"here, {' and '.join(closer)} goes before the current profile, and not before --profile {name}")
