"""`doorward tokens create`."""

from datetime import datetime, timedelta

import click

import doorward
from doorward._token_requests import Expiry, create_token
from doorward.cli._confirm import counted
from doorward.cli._examples import examples
from doorward.cli._expiry import expiry_options, one_expiry, refuse_both
from doorward.cli._fields import APP_COLUMNS, draft_fields
from doorward.cli._ids import region_option
from doorward.cli._output import as_json, print_data, print_fields, print_items
from doorward.cli._params import ROLE
from doorward.cli._session import Session, pass_session, session_options
from doorward.cli._tokens_secret import print_issued
from doorward.v1.role_pb2 import Role


@click.command(
    epilog=examples(
        "doorward tokens create ci --role read-only --region GRA --selector group=A --expires-in 90d",
        "doorward tokens create ci --role read-only --region GRA --selector group=A --dry-run",
        'TOKEN=$(doorward tokens create ops --role operator --region GRA -l "ovh/id=$APP" --quiet)',
        "doorward tokens create root --role admin --expires-at 2027-01-31T12:00:00Z",
    )
)
@click.argument("name")
@click.option("--role", type=ROLE, required=True, help="What the token permits.")
@region_option("The region whose apps it opens; none with the role admin.")
@click.option("-l", "--selector", help="The apps it opens, such as 'group in (A,B),tier!=internal'.")
@click.option("--all-apps", is_flag=True, help="It opens every app of the region.")
@expiry_options
@click.option(
    "--dry-run", is_flag=True, help="Make nothing: show what would be, and the apps it would open now."
)
@click.option("-q", "--quiet", is_flag=True, help="Print the secret alone.")
@session_options()
@pass_session
def create(
    session: Session,
    *,
    name: str,
    role: str,
    region: str,
    selector: str | None,
    all_apps: bool,
    expires_in: timedelta | None,
    expires_at: datetime | None,
    dry_run: bool,
    quiet: bool,
) -> None:
    """Create a token. Its secret is shown now and never again."""
    refuse_both(("--selector", selector), ("--all-apps", all_apps))
    refuse_both(("--dry-run", dry_run), ("--quiet", quiet))
    expires = one_expiry(expires_in, expires_at)
    with session.client() as client:
        if dry_run:
            draft = _draft(
                name, role=role, region=region, selector=selector, all_apps=all_apps, expires=expires
            )
            _print_draft(draft, client, session)
            return
        issued = client.tokens.create(
            name, role=role, region=region, selector=selector, all_apps=all_apps, expires=expires
        )
        print_issued(issued, client, session, quiet=quiet)


def _draft(
    name: str, *, role: str, region: str, selector: str | None, all_apps: bool, expires: Expiry | None
) -> doorward.Token:
    """Return the token that would be asked for; refuses what the server would refuse for certain."""
    request = create_token(
        name,
        role=role,
        region=region,
        selector=selector,
        all_apps=all_apps,
        expires=expires,
        request_id=None,
    )
    token = request.token
    if token.role == Role.ROLE_ADMIN:
        if region or selector is not None:
            raise click.UsageError("a token with the role admin has every region: no --region, no --selector")
    elif not region:
        raise click.UsageError("give --region: a token opens the apps of one region")
    elif token.WhichOneof("scope") is None:
        raise click.UsageError("give --selector or --all-apps: which apps the token opens")
    return token


def _print_draft(draft: doorward.Token, client: doorward.Client, session: Session) -> None:
    """Print a token that is not made, and what it would open; the server reads region and selector."""
    selector = draft.label_selector if draft.HasField("label_selector") else None
    apps: list[doorward.App] = []
    pages = client.tokens.preview(
        region=draft.region, selector=selector, all_apps=selector is None, page_size=1000
    ).pages()
    for page in pages:
        apps.extend(page.apps)
        if selector is not None:
            draft.label_selector = page.canonical_selector
    if session.output != "table":
        token = as_json(draft)
        print_data({"dryRun": True, "token": token, "apps": list(map(as_json, apps))}, session.output)
        return
    print_fields(draft_fields(draft))
    click.echo(f"\nDry run: nothing was created. The token would open {counted(len(apps), 'app')} now:\n")
    print_items(apps, APP_COLUMNS, session.output, nothing="no app matches")
