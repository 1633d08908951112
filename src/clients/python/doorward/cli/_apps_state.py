"""`doorward apps start` and `doorward apps stop`."""

from collections.abc import Callable
from datetime import timedelta

import click

import doorward
from doorward.cli._examples import examples
from doorward.cli._fields import APP_COLUMNS, app_fields
from doorward.cli._ids import apps_argument
from doorward.cli._many import Each, is_one, resolve
from doorward.cli._output import print_item, print_items, warn_of_gap
from doorward.cli._params import APP_ID
from doorward.cli._session import Session, pass_session, session_options
from doorward.cli._wait import Waiting, wait_options


@click.command(
    epilog=examples(
        'doorward apps start "$APP" --wait --timeout 5m',
        "doorward apps list --state stopped -l group=A -o name | doorward apps start -",
    )
)
@apps_argument()
@wait_options("RUNNING")
@session_options("id", "url")
@pass_session
def start(
    session: Session, *, app_ids: tuple[str, ...], wait: bool, wait_timeout: timedelta | None
) -> int | None:
    """Start an app that is stopped or has failed; or several."""

    def bring(client: doorward.Client, app_id: str) -> doorward.App:
        return client.apps.start(app_id).app

    return _to_state(session, app_ids, bring, "running", wait=wait, wait_timeout=wait_timeout)


@click.command(
    epilog=examples(
        'doorward apps stop "$APP" --wait',
        "doorward apps list -l group=A -o name | doorward apps stop -",
    )
)
@apps_argument()
@wait_options("STOPPED")
@session_options("id", "url")
@pass_session
def stop(
    session: Session, *, app_ids: tuple[str, ...], wait: bool, wait_timeout: timedelta | None
) -> int | None:
    """Stop an app, or several. Its visitors get 503 from the moment the command returns."""

    def bring(client: doorward.Client, app_id: str) -> doorward.App:
        answer = client.apps.stop(app_id)
        warn_of_gap(answer.policy_update)
        return answer.app

    return _to_state(session, app_ids, bring, "stopped", wait=wait, wait_timeout=wait_timeout)


def _to_state(
    session: Session,
    app_ids: tuple[str, ...],
    bring: Callable[[doorward.Client, str], doorward.App],
    state: str,
    *,
    wait: bool,
    wait_timeout: timedelta | None,
) -> int | None:
    """Bring apps to a state, all of them before the first is waited for, and show them."""
    with session.client() as client:
        waiting = Waiting(session, client, wait_timeout)

        def awaited(app: doorward.App) -> doorward.App:
            if wait:
                app.status.CopyFrom(waiting.until(app.app_id, state))
            return app

        if is_one(app_ids):
            app = awaited(bring(client, app_ids[0]))
            print_item(app, app_fields(app), session.output)
            return None
        each = Each("app")
        brought = dict(each.answers(resolve(app_ids, APP_ID), lambda app_id: bring(client, app_id)))
        done = [app for _, app in each.answers(brought, lambda app_id: awaited(brought[app_id]))]
        print_items(done, APP_COLUMNS, session.output, nothing="no app was changed")
    return each.exit_code
