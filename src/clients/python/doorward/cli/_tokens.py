"""`doorward tokens`: the group, and the commands about tokens that there are."""

import itertools
from datetime import datetime, timedelta

import click

from doorward.cli._completion import complete_apps, complete_tokens
from doorward.cli._examples import examples
from doorward.cli._expiry import expiry_options, one_expiry, refuse_both
from doorward.cli._fields import APP_COLUMNS, RULE_COLUMNS, TOKEN_COLUMNS, token_fields
from doorward.cli._ids import region_option, token_argument, tokens_argument
from doorward.cli._many import Each, is_one, resolve
from doorward.cli._output import as_json, print_data, print_fields, print_item, print_items, warn_of_gap
from doorward.cli._params import APP_ID, DURATION, TOKEN_ID
from doorward.cli._session import (
    Session,
    connection_options,
    output_option,
    pass_session,
    session_options,
)
from doorward.cli._tokens_create import create
from doorward.cli._tokens_delete import delete
from doorward.cli._tokens_filter import TokenFilter, token_filters
from doorward.cli._tokens_secret import print_issued


@click.group(
    name="tokens",
    epilog=examples(
        "doorward tokens list --unused-for 90d",
        "doorward tokens create ci --role read-only --region GRA --selector group=A --expires-in 90d",
    ),
)
def tokens() -> None:
    """Tokens: who may use which apps."""


for command in (create, delete):
    tokens.add_command(command)


@tokens.command(
    "list",
    epilog=examples(
        "doorward tokens list",
        "doorward tokens list --role read-only --region GRA --unused-for 90d",
        "doorward tokens list --expired -o name",
    ),
)
@token_filters
@click.option("--limit", type=click.IntRange(min=1), help="No more than this many, the newest.")
@session_options("id")
@pass_session
def list_(
    session: Session,
    *,
    name: str | None,
    role: str | None,
    region: str,
    expired: bool,
    unused_for: timedelta | None,
    limit: int | None,
) -> None:
    """List the tokens, newest first."""
    wanted = TokenFilter(name=name, role=role, region=region, expired=expired, unused_for=unused_for)
    size = 1000 if wanted else min(limit or 1000, 1000)
    with session.client() as client:
        found = itertools.islice(wanted.of(client, page_size=size), limit)
        print_items(found, TOKEN_COLUMNS, session.output, nothing="no tokens")


@tokens.command(
    epilog=examples("doorward tokens get 1B2m9cQk0XyZ", "doorward tokens get tokens/1B2m9cQk0XyZ -o json")
)
@tokens_argument()
@session_options("id")
@pass_session
def get(session: Session, *, token_ids: tuple[str, ...]) -> int | None:
    """Show one token, without its secret; of several, a list."""
    with session.client() as client:
        if is_one(token_ids):
            token = client.tokens.get(token_ids[0])
            print_item(token, token_fields(token), session.output)
            return None
        each = Each("token")
        found = (token for _, token in each.answers(resolve(token_ids, TOKEN_ID), client.tokens.get))
        print_items(found, TOKEN_COLUMNS, session.output, nothing="no tokens")
    return each.exit_code


@tokens.command(
    epilog=examples(
        "doorward tokens update 1B2m9cQk0XyZ --name ci --expires-in 90d",
        "doorward tokens update 1B2m9cQk0XyZ --never-expires",
    )
)
@token_argument
@click.option("--name", help="Another name.")
@expiry_options
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
    expiry = one_expiry(expires_in, expires_at)
    refuse_both(("--expires-in or --expires-at", expiry), ("--never-expires", never_expires))
    if name is None and expiry is None and not never_expires:
        raise click.UsageError("nothing to change: give at least one option")
    with session.client() as client:
        answer = client.tokens.update(
            token_id, display_name=name, expires="never" if never_expires else expiry
        )
    warn_of_gap(answer.policy_update)
    print_item(answer.token, token_fields(answer.token), session.output)


@tokens.command(
    epilog=examples(
        "doorward tokens regenerate 1B2m9cQk0XyZ",
        "NEW=$(doorward tokens regenerate 1B2m9cQk0XyZ --grace 1h --quiet)",
    )
)
@token_argument
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
        print_issued(issued, client, session, quiet=quiet)


@tokens.command(
    epilog=examples(
        "doorward tokens preview --region GRA --selector 'group in (A,B),tier!=internal'",
        "doorward tokens preview --all-apps -o url",
    )
)
@region_option("Apps of this region alone.")
@click.option("-l", "--selector", help="The scope to try, such as 'group in (A,B),tier!=internal'.")
@click.option("--all-apps", is_flag=True, help="Every app.")
@session_options("id", "url")
@pass_session
def preview(session: Session, *, region: str, selector: str | None, all_apps: bool) -> None:
    """List the apps that a scope matches now."""
    refuse_both(("--selector", selector), ("--all-apps", all_apps))
    with session.client() as client:
        found = client.tokens.preview(region=region, selector=selector, all_apps=all_apps, page_size=1000)
        print_items(found, APP_COLUMNS, session.output, nothing="no app matches")


@tokens.command(
    short_help="Say whether a token may make a request, and why.",
    epilog=examples(
        'doorward tokens explain --token 1B2m9cQk0XyZ --app "$APP"',
        'doorward tokens explain --token 1B2m9cQk0XyZ --app "$APP" --method POST --path /admin',
    ),
)
@click.option(
    "--token",
    "--token-id",
    "token_id",
    type=TOKEN_ID,
    required=True,
    help="The token's id.",
    shell_complete=complete_tokens,
)
@click.option(
    "--app",
    "--app-id",
    "app_id",
    type=APP_ID,
    required=True,
    help="The app's id.",
    shell_complete=complete_apps,
)
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
