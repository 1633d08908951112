"""`doorward apps`."""

import itertools
from contextlib import closing
from datetime import timedelta

import click

from doorward._conversions import short_name
from doorward._errors import printable
from doorward.cli._apps_create import create
from doorward.cli._apps_update import update
from doorward.cli._confirm import confirm
from doorward.cli._fields import APP_COLUMNS, app_fields, time
from doorward.cli._output import (
    print_done,
    print_item,
    print_items,
    print_stream_item,
    warn_of_gap,
)
from doorward.cli._params import APP_STATE, ID, POSITIVE_DURATION, WAIT
from doorward.cli._session import Session, pass_session, session_options
from doorward.v1.app_service_pb2 import LogStream, ReadAppLogsResponse


@click.group(name="apps")
def apps() -> None:
    """Apps: what runs, and under which labels."""


apps.add_command(create)
apps.add_command(update)


@apps.command("list")
@click.option("-l", "--selector", default="", help="A label selector, such as 'group in (A,B),!legacy'.")
@click.option("--region", default="", help="Apps of this region alone.")
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


@apps.command()
@click.argument("app_id", type=ID)
@session_options("id", "url")
@pass_session
def get(session: Session, *, app_id: str) -> None:
    """Show one app."""
    with session.client() as client:
        app = client.apps.get(app_id)
    print_item(app, app_fields(app), session.output)


@apps.command()
@click.argument("app_id", type=ID)
@click.option("--wait", is_flag=True, help="Return when the app is RUNNING.")
@click.option("--wait-timeout", type=POSITIVE_DURATION, default=WAIT, help="Wait no longer; 2m.")
@session_options("id", "url")
@pass_session
def start(session: Session, *, app_id: str, wait: bool, wait_timeout: timedelta) -> None:
    """Start an app that is stopped or has failed."""
    with session.client() as client:
        app = client.apps.start(app_id).app
        if wait:
            app.status.CopyFrom(client.apps.wait(app_id, timeout=wait_timeout))
    print_item(app, app_fields(app), session.output)


@apps.command()
@click.argument("app_id", type=ID)
@click.option("--wait", is_flag=True, help="Return when the app is STOPPED.")
@click.option("--wait-timeout", type=POSITIVE_DURATION, default=WAIT, help="Wait no longer; 2m.")
@session_options("id", "url")
@pass_session
def stop(session: Session, *, app_id: str, wait: bool, wait_timeout: timedelta) -> None:
    """Stop an app. Its visitors get 503 from the moment the command returns."""
    with session.client() as client:
        answer = client.apps.stop(app_id)
        app = answer.app
        warn_of_gap(answer.policy_update)
        if wait:
            app.status.CopyFrom(client.apps.wait(app_id, "stopped", timeout=wait_timeout))
    print_item(app, app_fields(app), session.output)


@apps.command()
@click.argument("app_id", type=ID)
@click.option("--yes", is_flag=True, help="Do not ask.")
@session_options()
@pass_session
def delete(session: Session, *, app_id: str, yes: bool) -> None:
    """Delete an app. Its visitors get 403 from the moment the command returns.

    Asks first when a person is there to answer.
    """
    if not yes:
        confirm(f"Delete app {app_id}?")
    with session.client() as client:
        answer = client.apps.delete(app_id)
    warn_of_gap(answer.policy_update)
    print_done(answer, f"app {app_id} deleted", session.output)


@apps.command()
@click.argument("app_id", type=ID)
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
