"""`doorward apps update`."""

from datetime import timedelta

import click

from doorward._conversions import access as access_value
from doorward.cli._apps_spec import readiness, readiness_options, source, source_options
from doorward.cli._examples import examples
from doorward.cli._fields import app_fields
from doorward.cli._ids import app_argument
from doorward.cli._output import print_item, warn_of_gap
from doorward.cli._params import ACCESS, LABEL, unique
from doorward.cli._session import Session, pass_session, session_options
from doorward.v1.app_pb2 import App, AppSpec


@click.command(
    epilog=examples(
        'doorward apps update "$APP" --label tier=gold --remove-label trial',
        'doorward apps update "$APP" --process --env KEY= -- python hello.py --port {port}',
    )
)
@app_argument
@click.option("--name", help="Another name.")
@click.option(
    "--label", "labels", multiple=True, type=LABEL, metavar="KEY=VALUE", help="A label to set; repeatable."
)
@click.option("--remove-label", multiple=True, metavar="KEY", help="A label to remove; repeatable.")
@source_options
@click.option("--access", type=ACCESS, help="Who may use the app.")
@click.option(
    "--operator-path",
    multiple=True,
    metavar="/PATH",
    help="The prefixes for operators, all of them; repeatable.",
)
@click.option("--no-operator-paths", is_flag=True, help="No prefix is for operators alone.")
@readiness_options
@click.option(
    "--cors-preflight/--no-cors-preflight",
    default=None,
    help="Whether CORS preflight requests pass without a token.",
)
@session_options("id", "url")
@pass_session
def update(
    session: Session,
    *,
    app_id: str,
    name: str | None,
    labels: tuple[tuple[str, str], ...],
    remove_label: tuple[str, ...],
    command: tuple[str, ...],
    process: bool,
    external: str | None,
    env: tuple[tuple[str, str], ...],
    working_dir: str,
    access: str | None,
    operator_path: tuple[str, ...],
    no_operator_paths: bool,
    readiness_path: str | None,
    readiness_period: timedelta | None,
    readiness_failure_threshold: int | None,
    cors_preflight: bool | None,
) -> None:
    """Change an app: its name, its labels, or how it runs and is opened.

    Labels that are not named stay, and so does the rest of the readiness. A source is replaced as a whole,
    and the app started anew; a variable that is given as NAME= keeps the value it has. When the command
    returns, no replica decides by the former state.
    """
    if operator_path and no_operator_paths:
        raise click.UsageError("--operator-path and --no-operator-paths contradict each other")
    given = source(process=process, command=command, external=external, env=env, working_dir=working_dir)
    probes = readiness(
        readiness_path=readiness_path,
        readiness_period=readiness_period,
        readiness_failure_threshold=readiness_failure_threshold,
    )
    spec = given or AppSpec()
    spec.operator_paths.extend(operator_path)
    spec.cors_preflight = bool(cors_preflight)
    if access is not None:
        spec.access = access_value(access)
    changes = {
        "display_name": name is not None,
        "spec.access": access is not None,
        "spec.operator_paths": operator_path or no_operator_paths,
        "spec.cors_preflight": cors_preflight is not None,
        "spec.readiness": probes is not None,
        "labels": labels or remove_label,
    }
    mask = [path for path, changed in changes.items() if changed]
    if given is not None:
        mask.append(f"spec.{given.WhichOneof('source')}")
    if not mask:
        raise click.UsageError("nothing to change: give at least one option")
    with session.client() as client:
        etag = ""
        merged: dict[str, str] = {}
        if not {"labels", "spec.readiness"}.isdisjoint(mask):
            # Both are replaced as a whole: the etag makes sure that nothing set meanwhile is lost.
            now = client.apps.get(app_id)
            etag = now.etag
            merged = _labels(now, labels, remove_label)
            if probes is not None:
                spec.readiness.CopyFrom(now.spec.readiness)
                spec.readiness.MergeFrom(probes)
                if readiness_path is not None:
                    # An empty one, too, which means that a connection is enough.
                    spec.readiness.path = readiness_path
        changed = client.apps.update(
            app_id, display_name=name, labels=merged, spec=spec, update_mask=mask, etag=etag
        )
    warn_of_gap(changed.policy_update)
    print_item(changed.app, app_fields(changed.app), session.output)


def _labels(app: App, labels: tuple[tuple[str, str], ...], remove: tuple[str, ...]) -> dict[str, str]:
    """Return an app's labels with those that are to be set and without those that are to be removed."""
    merged = dict(app.labels) | unique(labels, "--label")
    for key in remove:
        if merged.pop(key, None) is None:
            raise click.UsageError(f"--remove-label: the app has no label {key!r}")
    return merged
