"""`doorward profiles`."""

import os

import click

from doorward._profiles import Profile, read_profiles
from doorward.cli._examples import examples
from doorward.cli._exit_codes import NOT_FOUND
from doorward.cli._output import print_data, print_table
from doorward.cli._profile_changes import changed_profiles
from doorward.cli._report import fail, note
from doorward.cli._session import Session, complete_profiles, output_option, pass_session


@click.group(name="profiles", epilog=examples("doorward profiles use production"))
def profiles() -> None:
    """Profiles: the apis you have logged in to."""


@profiles.command(name="list", epilog=examples("doorward profiles list", "doorward profiles list -o json"))
@output_option("id")
@pass_session
def list_(session: Session) -> None:
    """List the profiles; no api is asked, and no token shown."""
    stored = read_profiles(os.environ)
    match session.output:
        case "id" | "name":
            for name in stored.profiles:
                click.echo(name)
        case "table" if not stored.profiles:
            note("no profiles: doorward login makes one")
        case "table":
            rows = [
                ["*" if name == stored.current else " ", name, each.address, _kept(each), _transport(each)]
                for name, each in stored.profiles.items()
            ]
            print_table(["CURRENT", "NAME", "ADDRESS", "TOKEN", "TLS"], rows)
        case output:
            print_data(
                [
                    {
                        "name": name,
                        "current": name == stored.current,
                        "address": each.address,
                        "token": _kept(each),
                        "caFile": each.ca_file or "",
                        "insecure": each.insecure,
                    }
                    for name, each in stored.profiles.items()
                ],
                output,
            )


@profiles.command(
    short_help="Make a profile the current one.", epilog=examples("doorward profiles use production")
)
@click.argument("name", shell_complete=complete_profiles)
def use(*, name: str) -> int | None:
    """Make a profile the current one: what is used when nothing else says which api."""
    with changed_profiles(os.environ) as changes:
        if name not in changes.profiles:
            known = ", ".join(changes.profiles) or "none"
            return fail(f"there is no profile {name!r}, only {known}", NOT_FOUND)
        changes.current = name
    click.echo(f"{name} is the current profile")
    return None


def _kept(profile: Profile) -> str:
    """Return where a profile's token is."""
    if profile.keyring is not None:
        return "keyring"
    return "file" if profile.token_file is not None else "none"


def _transport(profile: Profile) -> str:
    """Return how the api is reached; on this machine it is plain text unless an authority is named."""
    if profile.insecure:
        return "off"
    return profile.ca_file or "default"
