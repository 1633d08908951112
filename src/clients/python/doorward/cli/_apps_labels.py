"""`doorward apps labels`: set and remove single labels, whatever others do meanwhile."""

from collections.abc import Callable

import click

import doorward
from doorward.cli._examples import examples
from doorward.cli._fields import app_fields
from doorward.cli._fields import labels as labels_of
from doorward.cli._ids import app_argument
from doorward.cli._output import print_data, print_item, warn_of_gap
from doorward.cli._params import LABEL, unique
from doorward.cli._report import note
from doorward.cli._session import Session, pass_session, session_options

Labels = dict[str, str]

_TRIES = 5
"""How often a change is made anew when somebody else was faster."""


@click.group(name="labels", epilog=examples('doorward apps labels set "$APP" tier=gold'))
def labels() -> None:
    """Labels of an app, one by one."""


@labels.command(
    name="list",
    epilog=examples('doorward apps labels list "$APP"', 'doorward apps labels list "$APP" -o json'),
)
@app_argument
@session_options()
@pass_session
def list_(session: Session, *, app_id: str) -> None:
    """List the labels of an app, the platform's own included."""
    with session.client() as client:
        app = client.apps.get(app_id)
    if session.output != "table":
        print_data(dict(sorted(app.labels.items())), session.output)
        return
    for label in labels_of(app):
        click.echo(label)


@labels.command(
    name="set",
    short_help="Set labels of an app.",
    epilog=examples(
        'doorward apps labels set "$APP" tier=gold team=search',
    ),
)
@app_argument
@click.argument("pairs", nargs=-1, required=True, type=LABEL, metavar="KEY=VALUE...")
@session_options("id", "url")
@pass_session
def set_(session: Session, *, app_id: str, pairs: tuple[tuple[str, str], ...]) -> None:
    """Set labels of an app; the others stay, also those that somebody else sets at the same time.

    When the command returns, no replica decides by the former labels.
    """
    given = unique(pairs, "KEY=VALUE")
    _change(session, app_id, lambda now: now | given)


@labels.command(
    name="remove",
    short_help="Remove labels of an app.",
    epilog=examples('doorward apps labels remove "$APP" tier team'),
)
@app_argument
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@session_options("id", "url")
@pass_session
def remove(session: Session, *, app_id: str, keys: tuple[str, ...]) -> None:
    """Remove labels of an app; the others stay, also those that somebody else sets at the same time.

    A label that the app does not have is not an error: it is gone. When the command returns, no replica
    decides by the former labels.
    """
    _change(session, app_id, lambda now: {key: value for key, value in now.items() if key not in keys})


def _change(session: Session, app_id: str, changed: Callable[[Labels], Labels]) -> None:
    """Change the labels as they are now: labels are replaced as a whole, the etag keeps what others set."""
    with session.client() as client:
        tries = 1
        while (app := _try(client, app_id, changed, last=tries == _TRIES)) is None:
            tries += 1
    print_item(app, app_fields(app), session.output)


def _try(
    client: doorward.Client, app_id: str, changed: Callable[[Labels], Labels], *, last: bool
) -> doorward.App | None:
    """Return the app with its labels changed; None when somebody else was faster."""
    app = client.apps.get(app_id)
    wanted = changed(dict(app.labels))
    if wanted == dict(app.labels):
        note("no change")
        return app
    try:
        answer = client.apps.update(app_id, labels=wanted, update_mask=["labels"], etag=app.etag)
    except doorward.Conflict:
        if last:
            raise
        return None
    warn_of_gap(answer.policy_update)
    return answer.app
