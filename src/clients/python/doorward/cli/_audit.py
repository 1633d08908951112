"""`doorward audit`."""

import itertools
from datetime import UTC, datetime
from typing import Any

import click

from doorward.cli._completion import complete_tokens
from doorward.cli._examples import examples
from doorward.cli._fields import EVENT_COLUMNS
from doorward.cli._output import print_items
from doorward.cli._params import DURATION, RESOURCE_ID, TIME, TOKEN_ID, Context, Parameter
from doorward.cli._session import Session, pass_session, session_options


class TimeOrAge(click.ParamType[datetime]):
    """A point in time, or how long ago it was, such as `24h`."""

    name = "time"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> datetime:
        if isinstance(value, str) and value.endswith(("d", "h", "m", "s")):
            return datetime.now(UTC) - DURATION.convert(value, param, ctx)
        return TIME.convert(value, param, ctx)


TIME_OR_AGE = TimeOrAge()


@click.group(name="audit", epilog=examples("doorward audit list --since 24h"))
def audit() -> None:
    """The audit: who did what."""


@audit.command(
    "list",
    epilog=examples(
        "doorward audit list --since 24h --action DeleteToken",
        'doorward audit list --resource "apps/$APP" --limit 5 -o json',
    ),
)
@click.option(
    "--actor",
    type=TOKEN_ID,
    default="",
    help="What this token did, by its id.",
    shell_complete=complete_tokens,
)
@click.option("--action", default="", help="What was done, such as DeleteToken.")
@click.option(
    "--resource", type=RESOURCE_ID, default="", help="What was done to this app or token, by its id."
)
@click.option("--since", type=TIME_OR_AGE, help="Nothing before this time, or this long ago.")
@click.option("--until", type=TIME_OR_AGE, help="Nothing at or after this time, or this long ago.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="No more than this many."
)
@session_options()
@pass_session
def list_(
    session: Session,
    *,
    actor: str,
    action: str,
    resource: str,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> None:
    """List what was done, newest first."""
    with session.client() as client:
        found = client.audit.list(
            actor_token_id=actor,
            action=action,
            resource_id=resource,
            start=since,
            end=until,
            page_size=min(limit, 1000),
        )
        events = itertools.islice(found, limit)
        print_items(events, EVENT_COLUMNS, session.output, nothing="no events")
