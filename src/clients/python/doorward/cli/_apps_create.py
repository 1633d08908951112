"""`doorward apps create`."""

from datetime import timedelta

import click

import doorward
from doorward._conversions import access as access_value
from doorward.cli._apps_spec import ONE_SOURCE, readiness, readiness_options, source, source_options
from doorward.cli._fields import app_fields
from doorward.cli._output import print_item
from doorward.cli._params import ACCESS, LABEL, POSITIVE_DURATION, WAIT, unique
from doorward.cli._session import Session, pass_session, session_options


@click.command(
    epilog="""\b
Examples:
  doorward apps create hello --region GRA --label group=A --process -- python hello.py --port {port}
  doorward apps create shop --region GRA --label group=B --external 10.0.0.5:8000
"""
)
@click.argument("name")
@source_options
@click.option("--region", required=True, help="Where the app runs, such as GRA.")
@click.option(
    "--label", "labels", multiple=True, type=LABEL, metavar="KEY=VALUE", help="A label; repeatable."
)
@click.option("--access", type=ACCESS, default="token-required", help="Who may use the app.")
@click.option("--operator-path", multiple=True, metavar="/PATH", help="A prefix for operators; repeatable.")
@readiness_options
@click.option("--cors-preflight", is_flag=True, help="Let CORS preflight requests through without a token.")
@click.option("--wait", is_flag=True, help="Return when the app is RUNNING.")
@click.option("--wait-timeout", type=POSITIVE_DURATION, default=WAIT, help="Wait no longer; 2m.")
@click.option("-q", "--quiet", is_flag=True, help="Print the app's id alone, as -o id does.")
@session_options("id", "url")
@pass_session
def create(
    session: Session,
    *,
    name: str,
    command: tuple[str, ...],
    region: str,
    labels: tuple[tuple[str, str], ...],
    process: bool,
    external: str | None,
    env: tuple[tuple[str, str], ...],
    working_dir: str,
    access: str,
    operator_path: tuple[str, ...],
    readiness_path: str | None,
    readiness_period: timedelta | None,
    readiness_failure_threshold: int | None,
    cors_preflight: bool,
    wait: bool,
    wait_timeout: timedelta,
    quiet: bool,
) -> None:
    """Create an app and start it."""
    spec = source(process=process, command=command, external=external, env=env, working_dir=working_dir)
    if spec is None:
        raise click.UsageError(ONE_SOURCE)
    probes = readiness(
        readiness_path=readiness_path,
        readiness_period=readiness_period,
        readiness_failure_threshold=readiness_failure_threshold,
    )
    rest = doorward.AppSpec(operator_paths=operator_path, readiness=probes, cors_preflight=cors_preflight)
    rest.access = access_value(access)
    spec.MergeFrom(rest)
    with session.client() as client:
        app = client.apps.create(name, region=region, labels=unique(labels, "--label"), spec=spec)
        if wait:
            app.status.CopyFrom(client.apps.wait(app.app_id, timeout=wait_timeout))
    if quiet:
        click.echo(app.app_id)
    else:
        print_item(app, app_fields(app), session.output)
