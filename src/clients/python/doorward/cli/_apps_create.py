"""`doorward apps create`."""

from datetime import timedelta

import click

import doorward
from doorward._conversions import access as access_value
from doorward.cli._fields import app_fields
from doorward.cli._output import print_item
from doorward.cli._params import ACCESS, ENV, LABEL, POSITIVE_DURATION, WAIT, unique
from doorward.cli._session import Session, pass_session, session_options
from doorward.v1.app_pb2 import AppSpec


@click.command(
    epilog="""\b
Examples:
  doorward apps create hello --region GRA --label group=A --process -- python hello.py --port {port}
  doorward apps create shop --region GRA --label group=B --external 10.0.0.5:8000
"""
)
@click.argument("name")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--region", required=True, help="Where the app runs, such as GRA.")
@click.option(
    "--label", "labels", multiple=True, type=LABEL, metavar="KEY=VALUE", help="A label; repeatable."
)
@click.option("--process", is_flag=True, help="Run COMMAND, given after --, as a process of the server.")
@click.option("--external", metavar="HOST:PORT", help="A service that runs already.")
@click.option(
    "--env", multiple=True, type=ENV, metavar="NAME=VALUE", help="A variable of the process; repeatable."
)
@click.option("--working-dir", default="", help="The folder the process runs in, on the server.")
@click.option("--access", type=ACCESS, default="token-required", help="Who may use the app.")
@click.option("--operator-path", multiple=True, metavar="/PATH", help="A prefix for operators; repeatable.")
@click.option("--readiness-path", default="", metavar="/PATH", help="What answers 2xx when the app is ready.")
@click.option("--readiness-period", type=POSITIVE_DURATION, help="The time between two probes; 1s.")
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
    readiness_path: str,
    readiness_period: timedelta | None,
    cors_preflight: bool,
    wait: bool,
    wait_timeout: timedelta,
    quiet: bool,
) -> None:
    """Create an app and start it."""
    readiness = None
    if readiness_path or readiness_period:
        readiness = doorward.readiness(readiness_path, period=readiness_period)
    spec = _spec(process, command, external, env=env, working_dir=working_dir)
    rest = doorward.AppSpec(operator_paths=operator_path, readiness=readiness, cors_preflight=cors_preflight)
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


def _spec(
    process: bool,
    command: tuple[str, ...],
    external: str | None,
    *,
    env: tuple[tuple[str, str], ...],
    working_dir: str,
) -> AppSpec:
    """Return the source that the options name, which must be exactly one."""
    if process == (external is not None):
        raise click.UsageError("give one of --process -- COMMAND... and --external HOST:PORT")
    if external is not None:
        if command or env or working_dir:
            raise click.UsageError("COMMAND, --env and --working-dir are for --process alone")
        return doorward.external(external)
    if not command:
        raise click.UsageError("--process needs the command to run after --")
    return doorward.process(command, env=unique(env, "--env"), working_dir=working_dir)
