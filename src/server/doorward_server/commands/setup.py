"""`doorward init` and `doorward db`: what is done once, before anything runs."""

import asyncio

import click

from doorward_server.commands.faults import reports_faults
from doorward_server.home import admin_token_file
from doorward_server.settings import load_settings


@click.command(
    short_help="Make what a platform needs before it runs.",
    epilog="\b\nExample:\n  DOORWARD_HOME=/srv/doorward doorward init",
)
@click.option(
    "--replace-key",
    is_flag=True,
    help="Make a platform key in place of one that is gone, though there are tokens: each opens apps again "
    "once it has been used with the API.",
)
@reports_faults
def init(*, replace_key: bool) -> None:
    """Make the platform key, the database and the first ADMIN token, each where there is none."""
    from doorward_server.bootstrap.setup import prepare

    settings = load_settings()
    secret = asyncio.run(prepare(settings, may_replace_key=replace_key))
    if secret is None:
        click.echo(f"{settings.home} is ready; it has an ADMIN token already.")
    else:
        click.echo(f"ADMIN token, shown this once and kept in {admin_token_file(settings)}:")
        click.echo(secret.reveal())


@click.group(epilog="\b\nExample:\n  doorward db current")
def db() -> None:
    """Make and upgrade the database's schema."""


@db.command(
    short_help="Bring the schema to this version.",
    epilog="\b\nExample:\n  doorward db upgrade",
)
@reports_faults
def upgrade() -> None:
    """Bring the schema to this version. There is no way back: make a copy of the database first."""
    from doorward_server.bootstrap.setup import upgrade_database

    click.echo(asyncio.run(upgrade_database(load_settings())))


@db.command(
    short_help="Show which schema there is, and which is needed.",
    epilog="\b\nExample:\n  doorward db current",
)
@reports_faults
def current() -> None:
    """Show which schema the database has, and which one this version needs."""
    from doorward_server.bootstrap.setup import describe_database

    click.echo(asyncio.run(describe_database(load_settings())))
