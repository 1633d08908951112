"""How a new secret is shown: once, and in one place alone."""

from typing import Any

import click

import doorward
from doorward._errors import one_line
from doorward.cli._fields import token_fields
from doorward.cli._output import as_json, print_data, print_fields
from doorward.cli._session import Session


def print_issued(
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
