"""`doorward apps`: the group, and the commands that only look."""

import itertools
from contextlib import closing

import click

from doorward._conversions import short_name
from doorward._errors import printable
from doorward.cli._apps_apply import apply
from doorward.cli._apps_create import create
from doorward.cli._apps_delete import delete
from doorward.cli._apps_labels import labels
from doorward.cli._apps_open import open_
from doorward.cli._apps_state import start, stop
from doorward.cli._apps_update import update
from doorward.cli._examples import examples
from doorward.cli._fields import APP_COLUMNS, app_fields, time
from doorward.cli._ids import app_argument, apps_argument, region_option
from doorward.cli._many import Each, is_one, resolve
from doorward.cli._output import print_item, print_items, print_stream_item
from doorward.cli._params import APP_ID, APP_STATE
from doorward.cli._session import Session, pass_session, session_options
from doorward.v1.app_service_pb2 import LogStream, ReadAppLogsResponse


@click.group(
    name="apps",
    epilog=examples(
        "doorward apps list --selector group=A",
        "doorward apps create hello --region GRA --label group=A --external 10.0.0.5:8000 --wait",
    ),
)
def apps() -> None:
    """Apps: what runs, and under which labels."""


for command in (create, apply, update, labels, start, stop, delete, open_):
    apps.add_command(command)


@apps.command(
    "list",
    epilog=examples(
        "doorward apps list",
        "doorward apps list --selector 'group in (A,B),!legacy' --region GRA --state running",
        "doorward apps list --state failed -o name | xargs -r doorward apps start",
    ),
)
@click.option("-l", "--selector", default="", help="A label selector, such as 'group in (A,B),!legacy'.")
@region_option("Apps of this region alone.")
@click.option("--state", "states", multiple=True, type=APP_STATE, help="In this state alone; repeatable.")
@click.option("--limit", type=click.IntRange(min=1), help="No more than this many, the newest.")
@session_options("id", "url")
@pass_session
def list_(
    session: Session,
    *,
    selector: str,
    region: str,
    states: tuple[str, ...],
    limit: int | None,
) -> None:
    """List the apps in the token's scope, newest first."""
    with session.client() as client:
        found = client.apps.list(
            selector=selector, region=region, states=states, page_size=min(limit or 1000, 1000)
        )
        print_items(itertools.islice(found, limit), APP_COLUMNS, session.output, nothing="no apps")


@apps.command(
    epilog=examples(
        "doorward apps get 3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11",
        'URL=$(doorward apps get "$APP" -o url)',
        "doorward apps list -l group=A -o name | doorward apps get - -o yaml",
    )
)
@apps_argument()
@session_options("id", "url")
@pass_session
def get(session: Session, *, app_ids: tuple[str, ...]) -> int | None:
    """Show one app; of several, a list.

    What -o yaml prints can be given to `doorward apps apply -f` again.
    """
    with session.client() as client:
        if is_one(app_ids):
            app = client.apps.get(app_ids[0])
            print_item(app, app_fields(app), session.output)
            return None
        each = Each("app")
        found = (app for _, app in each.answers(resolve(app_ids, APP_ID), client.apps.get))
        print_items(found, APP_COLUMNS, session.output, nothing="no apps")
    return each.exit_code


@apps.command(
    epilog=examples(
        'doorward apps logs "$APP" --tail 20',
        'doorward apps logs "$APP" --follow --timestamps',
    )
)
@app_argument
@click.option("--tail", type=click.IntRange(1, 10_000), help="How many of the newest lines; 100.")
@click.option("--all", "everything", is_flag=True, help="Begin with the oldest line that is kept.")
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines as they come.")
@click.option("-t", "--timestamps", is_flag=True, help="Show when and where each line was printed.")
@session_options()
@pass_session
def logs(
    session: Session, *, app_id: str, tail: int | None, everything: bool, follow: bool, timestamps: bool
) -> None:
    """Show what an app has printed."""
    if tail is not None and everything:
        raise click.UsageError("--tail and --all contradict each other: give one of them")
    with session.client() as client:
        stream = client.apps.logs(app_id, tail_lines=-1 if everything else tail or 0, follow=follow)
        with closing(stream):
            for line in stream:
                print_stream_item(line, _log_line(line, timestamps=timestamps), session.output)


def _log_line(line: ReadAppLogsResponse, *, timestamps: bool) -> str:
    """Return a line as a terminal may see it: tabs stay, what moves its cursor or colours it is escaped."""
    text = "\t".join(map(printable, line.line.split("\t")))
    if not timestamps:
        return text
    where = short_name(LogStream, "LOG_STREAM_", line.stream).lower()
    return f"{time(line.time)} {where:<8} {text}"
