"""`doorward apps delete`."""

import click

import doorward
from doorward.cli._bulk import (
    delete_each,
    delete_given,
    delete_options,
    make_sure,
    make_sure_of_selection,
)
from doorward.cli._examples import examples
from doorward.cli._fields import APP_COLUMNS
from doorward.cli._ids import apps_argument, region_option
from doorward.cli._many import resolve
from doorward.cli._params import APP_ID, APP_STATE
from doorward.cli._session import Session, pass_session, session_options

_GOING = doorward.AppState.APP_STATE_DELETING


@click.command(
    epilog=examples(
        'doorward apps delete "$APP"',
        "doorward apps delete --selector 'group=demo,!keep' --region GRA",
        "doorward apps delete --selector group=demo --expect 3",
        "doorward apps list --state failed -o name | doorward apps delete - --yes",
    )
)
@apps_argument(required=False)
@click.option("-l", "--selector", default="", help="Every app that matches, such as 'group=demo,!keep'.")
@region_option("With --selector: of this region alone.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=APP_STATE,
    help="With --selector: in this state alone; repeatable.",
)
@delete_options
@session_options("id")
@pass_session
def delete(
    session: Session,
    *,
    app_ids: tuple[str, ...],
    selector: str,
    region: str,
    states: tuple[str, ...],
    yes: bool,
    expect: int | None,
) -> int | None:
    """Delete an app, or several. Its visitors get 403 from the moment the command returns.

    Asks first when a person is there to answer. What --selector finds is shown, and its number has to be
    typed; a program gives it with --expect. An app that has changed since, such as one whose labels do not
    match any more, is left alone.
    """
    if bool(app_ids) == bool(selector):
        raise click.UsageError(
            "give ids, or --selector" if not selector else "give ids or --selector, not both"
        )
    if (region or states) and not selector:
        raise click.UsageError("--region and --state go with --selector")
    with session.client() as client:
        if app_ids:
            ids = resolve(app_ids, APP_ID)
            make_sure(ids, app_ids, "app", yes=yes, expect=expect)
            return delete_given(ids, app_ids, client.apps.delete, "app", session.output)
        listed = client.apps.list(selector=selector, region=region, states=states, page_size=1000)
        found = {app.app_id: app for app in listed if app.status.state != _GOING}
        make_sure_of_selection(list(found.values()), APP_COLUMNS, "app", yes=yes, expect=expect)
        return delete_each(
            list(found),
            lambda app_id: client.apps.delete(app_id, etag=found[app_id].etag),
            "app",
            session.output,
        )
