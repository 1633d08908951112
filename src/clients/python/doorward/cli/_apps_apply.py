"""`doorward apps apply`: make apps what files declare."""

from collections.abc import Sequence
from datetime import timedelta

import click

import doorward
from doorward.cli._app_files import read_apps
from doorward.cli._apply_plan import Step, hidden_values, plan
from doorward.cli._apply_shown import as_data, print_plan
from doorward.cli._apply_steps import take
from doorward.cli._confirm import confirm, somebody_is_there
from doorward.cli._documents import STANDARD_INPUT
from doorward.cli._examples import examples
from doorward.cli._exit_codes import USAGE
from doorward.cli._many import Each
from doorward.cli._output import part_of, print_data
from doorward.cli._report import fail, note
from doorward.cli._session import Session, pass_session, session_options
from doorward.cli._wait import Waiting, wait_options


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
        each = Each("", fields_of="app.")
        done: dict[str, doorward.App] = {}
        if not dry_run:
            waiting = Waiting(session, client, wait_timeout) if wait else None
            done = take(changing, client, each, waiting=waiting)
    _print_outcome(steps, done, each, session, dry_run=dry_run)
    return each.exit_code


def _ask(files: Sequence[str], count: int) -> None:
    if STANDARD_INPUT in files or not somebody_is_there():
        raise click.UsageError("nobody can be asked: give --yes, or --dry-run to see what would change")
    confirm(f"Make {'this change' if count == 1 else f'these {count} changes'}?")


def _print_outcome(
    steps: Sequence[Step], done: dict[str, doorward.App], each: Each, session: Session, *, dry_run: bool
) -> None:
    apps = [done.get(step.where, step.current) for step in steps]
    match session.output:
        case "json" | "yaml":
            outcomes = zip(steps, apps, strict=True)
            print_data(
                [as_data(step, app, each.failures.get(step.where)) for step, app in outcomes], session.output
            )
        case "table":
            click.echo(_summary(steps, made=len(done), failed=len(each.failures), dry_run=dry_run))
        case part:
            for app in apps:
                if app is not None:
                    click.echo(part_of(app, part))


def _summary(steps: Sequence[Step], *, made: int, failed: int, dry_run: bool) -> str:
    counts = [sum(step.action == action for step in steps) for action in ("create", "update", "none")]
    created, updated, same = counts
    if not created + updated:
        return f"nothing to change: {same} as declared"
    if dry_run:
        return f"dry run: {created} to create, {updated} to update, {same} as declared"
    done = f"{made} of {created + updated} changes made, {same} as declared"
    return f"{done}, {failed} failed" if failed else done
