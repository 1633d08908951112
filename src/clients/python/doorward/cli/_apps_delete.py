"""`doorward apps delete`."""

import click

from doorward.cli._bulk import delete_each, delete_options, make_sure, make_sure_of_selection
from doorward.cli._examples import examples
from doorward.cli._fields import APP_COLUMNS
from doorward.cli._ids import apps_argument, region_option
from doorward.cli._many import is_one, resolve
from doorward.cli._output import print_done, warn_of_gap
from doorward.cli._params import APP_ID, APP_STATE
from doorward.cli._session import Session, pass_session, session_options


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
    ids = resolve(app_ids, APP_ID)
    if ids:
        make_sure(ids, app_ids, "app", yes=yes, expect=expect)
    with session.client() as client:
        if is_one(app_ids) and session.output in ("table", "json", "yaml"):
            answer = client.apps.delete(app_ids[0])
            warn_of_gap(answer.policy_update)
            print_done(answer, f"app {app_ids[0]} deleted", session.output)
            return None
        etags: dict[str, str] = {}
        if selector:
            found = list(client.apps.list(selector=selector, region=region, states=states, page_size=1000))
            make_sure_of_selection(found, APP_COLUMNS, "apps", yes=yes, expect=expect)
            etags = {app.app_id: app.etag for app in found}
        return delete_each(
            ids or list(etags),
            lambda app_id: client.apps.delete(app_id, etag=etags.get(app_id, "")),
            "app",
            session.output,
        )
