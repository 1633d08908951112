"""`doorward tokens`."""

import itertools
from datetime import datetime, timedelta
from typing import Any

import click

import doorward
from doorward._errors import one_line
from doorward.cli._confirm import confirm
from doorward.cli._fields import APP_COLUMNS, RULE_COLUMNS, TOKEN_COLUMNS, token_fields
from doorward.cli._output import (
    as_json,
    print_data,
    print_done,
    print_fields,
    print_item,
    print_items,
    warn_of_gap,
)
from doorward.cli._params import DURATION, ID, POSITIVE_DURATION, ROLE, TIME
from doorward.cli._session import (
    Session,
    connection_options,
    output_option,
    pass_session,
    session_options,
)


@click.group(name="tokens")
def tokens() -> None:
    """Tokens: who may use which apps."""


@tokens.command(
    epilog="""\b
Example:
  doorward tokens create ci --role read-only --region GRA --selector 'group=A' --expires-in 90d
"""
)
@click.argument("name")
@click.option("--role", type=ROLE, required=True, help="What the token permits.")
@click.option("--region", default="", help="The region whose apps it opens; none with the role admin.")
@click.option("-l", "--selector", help="The apps it opens, such as 'group in (A,B),tier!=internal'.")
@click.option("--all-apps", is_flag=True, help="It opens every app of the region.")
@click.option("--expires-in", type=POSITIVE_DURATION, help="It stops to work after this long.")
@click.option("--expires-at", type=TIME, help="It stops to work at this time.")
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
    quiet: bool,
) -> None:
    """Create a token. Its secret is shown now and never again."""
    _refuse_both(("--selector", selector), ("--all-apps", all_apps))
    with session.client() as client:
        issued = client.tokens.create(
            name,
            role=role,
            region=region,
            selector=selector,
            all_apps=all_apps,
            expires=_one_expiry(expires_in, expires_at),
        )
        _print_issued(issued, client, session, quiet=quiet)


@tokens.command("list")
@click.option("--limit", type=click.IntRange(min=1), help="No more than this many, the newest.")
@session_options("id")
@pass_session
def list_(session: Session, *, limit: int | None) -> None:
    """List the tokens, newest first."""
    with session.client() as client:
        found = itertools.islice(client.tokens.list(page_size=min(limit or 1000, 1000)), limit)
        print_items(found, TOKEN_COLUMNS, session.output, nothing="no tokens")


@tokens.command()
@click.argument("token_id", type=ID)
@session_options("id")
@pass_session
def get(session: Session, *, token_id: str) -> None:
    """Show one token, without its secret."""
    with session.client() as client:
        token = client.tokens.get(token_id)
    print_item(token, token_fields(token), session.output)


@tokens.command()
@click.argument("token_id", type=ID)
@click.option("--name", help="Another name.")
@click.option("--expires-in", type=POSITIVE_DURATION, help="It stops to work after this long, from now.")
@click.option("--expires-at", type=TIME, help="It stops to work at this time.")
@click.option("--never-expires", is_flag=True, help="It works until it is deleted.")
@session_options("id")
@pass_session
def update(
    session: Session,
    *,
    token_id: str,
    name: str | None,
    expires_in: timedelta | None,
    expires_at: datetime | None,
    never_expires: bool,
) -> None:
    """Change a token's name or expiry. Role, region and scope cannot be changed."""
    expiry = _one_expiry(expires_in, expires_at)
    _refuse_both(("--expires-in or --expires-at", expiry), ("--never-expires", never_expires))
    if name is None and expiry is None and not never_expires:
        raise click.UsageError("nothing to change: give at least one option")
    with session.client() as client:
        answer = client.tokens.update(
            token_id, display_name=name, expires="never" if never_expires else expiry
        )
    warn_of_gap(answer.policy_update)
    print_item(answer.token, token_fields(answer.token), session.output)


@tokens.command()
@click.argument("token_id", type=ID)
@click.option("--grace", type=DURATION, help="How long the former secret goes on working, at most 7d.")
@click.option("-q", "--quiet", is_flag=True, help="Print the secret alone.")
@session_options()
@pass_session
def regenerate(session: Session, *, token_id: str, grace: timedelta | None, quiet: bool) -> None:
    """Give a token a new secret, shown now and never again.

    Without --grace the former secret is dead when the command returns.
    """
    with session.client() as client:
        issued = client.tokens.regenerate(token_id, grace_period=grace)
        warn_of_gap(issued.policy_update)
        _print_issued(issued, client, session, quiet=quiet)


@tokens.command()
@click.argument("token_id", type=ID)
@click.option("--yes", is_flag=True, help="Do not ask.")
@session_options()
@pass_session
def delete(session: Session, *, token_id: str, yes: bool) -> None:
    """Delete a token, which is dead when the command returns.

    Asks first when a person is there to answer.
    """
    if not yes:
        confirm(f"Delete token {token_id}?")
    with session.client() as client:
        answer = client.tokens.delete(token_id)
    warn_of_gap(answer.policy_update)
    print_done(answer, f"token {token_id} deleted", session.output)


@tokens.command()
@click.option("--region", default="", help="Apps of this region alone.")
@click.option("-l", "--selector", help="The scope to try, such as 'group in (A,B),tier!=internal'.")
@click.option("--all-apps", is_flag=True, help="Every app.")
@session_options("id", "url")
@pass_session
def preview(session: Session, *, region: str, selector: str | None, all_apps: bool) -> None:
    """List the apps that a scope matches now."""
    _refuse_both(("--selector", selector), ("--all-apps", all_apps))
    with session.client() as client:
        found = client.tokens.preview(region=region, selector=selector, all_apps=all_apps, page_size=1000)
        print_items(found, APP_COLUMNS, session.output, nothing="no app matches")


@tokens.command(short_help="Say whether a token may make a request, and why.")
@click.option("--token", "--token-id", "token_id", type=ID, required=True, help="The token's id.")
@click.option("--app", "--app-id", "app_id", type=ID, required=True, help="The app's id.")
@click.option("--method", default="", help="The HTTP method; GET.")
@click.option("--path", default="", help="The path, with or without a query; /.")
@output_option()
@connection_options  # not --token: here it names the token that is asked about
@pass_session
def explain(session: Session, *, token_id: str, app_id: str, method: str, path: str) -> None:
    """Say whether a token may make a request to an app, and which rule decides."""
    with session.client() as client:
        answer = client.tokens.explain(token_id, app_id, method=method, path=path)
    if session.output != "table":
        print_data(as_json(answer), session.output)
        return
    print_fields(
        [
            ("ALLOWED", "yes" if answer.allowed else "no"),
            ("REASON", answer.reason),
            ("HTTP STATUS", str(answer.http_status)),
        ]
    )
    if answer.rules:
        click.echo()
        print_items(answer.rules, RULE_COLUMNS, session.output, nothing="")


def _print_issued(
    issued: doorward.IssuedToken, client: doorward.Client, session: Session, *, quiet: bool
) -> None:
    """Print a token and its secret, which stands in one place alone."""
    if quiet:
        click.echo(issued.secret)
        return
    if session.output != "table":
        data: dict[str, Any] = {"token": as_json(issued.token), "secret": issued.secret}
        if issued.policy_update.revision:
            data["policyUpdate"] = as_json(issued.policy_update)
        print_data(data, session.output)
        return
    print_fields(token_fields(issued.token))
    click.echo("\nThe secret is not shown again. Use it so:\n")
    click.echo(f"  TOKEN={one_line(issued.secret)}")
    click.echo(f'  curl -H "Authorization: Bearer $TOKEN" {_example_url(issued.token, client)}')


def _example_url(token: doorward.Token, client: doorward.Client) -> str:
    """Return the address of an app that the token opens, when there is one and it can be found out."""
    selector = token.label_selector if token.HasField("label_selector") else None
    try:
        found = client.tokens.preview(
            region=token.region, selector=selector, all_apps=selector is None, page_size=1
        )
        app = next(iter(found), None)
    except doorward.DoorwardError:  # the token is made: what fails now must not hide its secret
        app = None
    return one_line(app.status.url) if app else "<the URL of an app>"


def _one_expiry(expires_in: timedelta | None, expires_at: datetime | None) -> datetime | timedelta | None:
    _refuse_both(("--expires-in", expires_in), ("--expires-at", expires_at))
    return expires_in or expires_at


def _refuse_both(one: tuple[str, object], other: tuple[str, object]) -> None:
    if one[1] not in (None, False) and other[1] not in (None, False):
        raise click.UsageError(f"{one[0]} and {other[0]} contradict each other: give one of them")
