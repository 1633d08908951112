"""`doorward apps apply`: make apps what files declare."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import click

import doorward
from doorward.cli._app_files import read_apps, report_refusal
from doorward.cli._apply_plan import Step, hidden_values, plan
from doorward.cli._apply_shown import as_data, print_plan
from doorward.cli._confirm import confirm, somebody_is_there
from doorward.cli._documents import STANDARD_INPUT
from doorward.cli._examples import examples
from doorward.cli._exit_codes import CONFLICT, FAILED, OK, USAGE
from doorward.cli._output import as_json, part_of, print_data, warn_of_gap
from doorward.cli._report import fail, note, report
from doorward.cli._session import Session, pass_session, session_options
from doorward.cli._wait import Waiting, wait_options

_AT_REST = (doorward.AppState.APP_STATE_STOPPING, doorward.AppState.APP_STATE_STOPPED)


@click.command(
    short_help="Make apps what files declare.",
    epilog=examples(
        "doorward apps apply -f apps.yaml",
        "doorward apps apply -f apps.yaml --dry-run",
        "doorward apps apply -f hello.yaml -f shop.yaml --yes --wait --timeout 5m",
        'doorward apps get "$APP" -o yaml | sed s/gold/silver/ | doorward apps apply -f - --yes',
    ),
)
@click.option(
    "-f",
    "--file",
    "files",
    multiple=True,
    required=True,
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="A YAML or JSON file with apps, several documents or a list; - reads standard input; repeatable.",
)
@click.option("--dry-run", is_flag=True, help="Change nothing: show what would be.")
@click.option("--yes", is_flag=True, help="Do not ask. Needed where nobody can be asked.")
@click.option(
    "--send-env",
    is_flag=True,
    help="Send the values of env, which cannot be compared; starts the apps that have some anew.",
)
@wait_options("RUNNING")
@session_options("id", "url")
@pass_session
def apply(
    session: Session,
    *,
    files: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    send_env: bool,
    wait: bool,
    wait_timeout: timedelta | None,
) -> int | None:
    """Make apps what files declare: create those that are missing, change those that differ.

    A document is about the app with its appId; without one, about the app with its displayName in its
    region, and is refused when there are several. It declares the whole app: what it leaves out has its
    default, labels that it does not name are removed. Nothing is deleted, started or stopped.

    Shows first what changes, and asks. An app that somebody else changes meanwhile is left alone.
    """
    declared = read_apps(files)
    with session.client() as client:
        steps, refusals = plan(declared, client, send_env=send_env)
        for refusal in refusals:
            fail(f"{refusal.where}: {refusal.reason}", USAGE)
        if refusals:
            return USAGE
        changing = [step for step in steps if step.action != "none"]
        asking = bool(changing) and not (yes or dry_run)
        if session.output == "table" or asking:
            print_plan(steps, err=session.output != "table")
        for where in hidden_values(steps):
            note(f"{where}: the values of env are not compared; --send-env sends them")
        if asking:
            _ask(files, len(changing))
        return _make_so(
            steps, client, session, Waiting(session, client, wait_timeout) if wait else None, dry_run
        )


def _ask(files: Sequence[str], count: int) -> None:
    if STANDARD_INPUT in files or not somebody_is_there():
        raise click.UsageError("nobody can be asked: give --yes, or --dry-run to see what would change")
    confirm(f"Make {'this change' if count == 1 else f'these {count} changes'}?")


def _make_so(
    steps: Sequence[Step], client: doorward.Client, session: Session, waiting: Waiting | None, dry_run: bool
) -> int:
    """Do what the steps say, one after the other, also after one that fails; print what came of each."""
    codes: list[int] = []
    outcomes: list[dict[str, Any]] = []
    done: list[doorward.App] = []
    for step in steps:
        try:
            app = step.current if dry_run or step.action == "none" else _take(step, client, waiting)
        except doorward.InvalidArgument as error:
            codes.append(report_refusal(error, step.where))
        except doorward.Conflict:
            text = "somebody else has changed the app meanwhile: it was left alone"
            codes.append(fail(f"{step.where}: {text}", CONFLICT))
        except doorward.DoorwardError as error:
            codes.append(report(error, about=step.where))
        else:
            done += [app] if app is not None else []
            outcomes.append(as_data(step, app=None if app is None else as_json(app)))
    _print_outcome(steps, done, outcomes, session, dry_run=dry_run, failures=len(codes))
    return (codes[0] if len(set(codes)) == 1 else FAILED) if codes else OK


def _take(step: Step, client: doorward.Client, waiting: Waiting | None) -> doorward.App:
    """Create or change an app, and wait until it runs when that is asked for and the app is not stopped."""
    declared = step.declared
    if step.current is None:
        app = client.apps.create(
            declared.display_name, region=declared.region, labels=declared.labels, spec=declared.spec
        )
        note(f"app {app.app_id} created")
    else:
        answer = client.apps.update(
            step.current.app_id,
            display_name=declared.display_name,
            labels=declared.labels,
            spec=declared.spec,
            update_mask=step.update_mask,
            etag=step.current.etag,
        )
        warn_of_gap(answer.policy_update)
        app = answer.app
        note(f"app {app.app_id} updated")
    if waiting is not None and app.status.state not in _AT_REST:
        app.status.CopyFrom(waiting.until(app.app_id))
    return app


def _print_outcome(
    steps: Sequence[Step],
    done: Sequence[doorward.App],
    outcomes: Sequence[dict[str, Any]],
    session: Session,
    *,
    dry_run: bool,
    failures: int,
) -> None:
    match session.output:
        case "json" | "yaml":
            print_data(outcomes, session.output)
        case "table":
            click.echo(_summary(steps, dry_run=dry_run, failures=failures))
        case part:
            for app in done:
                click.echo(part_of(app, part))


def _summary(steps: Sequence[Step], *, dry_run: bool, failures: int) -> str:
    counts = [sum(step.action == action for step in steps) for action in ("create", "update", "none")]
    created, updated, same = counts
    if not created + updated:
        return f"nothing to change: {same} as declared"
    if dry_run:
        return f"dry run: {created} to create, {updated} to update, {same} as declared"
    done = f"{len(steps) - failures - same} of {created + updated} changes made, {same} as declared"
    return f"{done}, {failures} failed" if failures else done
