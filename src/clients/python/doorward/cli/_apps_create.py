"""`doorward apps create`."""

from datetime import timedelta

import click
from click.core import ParameterSource

import doorward
from doorward._conversions import access as access_value
from doorward.cli._app_files import read_apps
from doorward.cli._apps_spec import ONE_SOURCE, readiness, readiness_options, source, source_options
from doorward.cli._completion import complete_regions
from doorward.cli._examples import examples
from doorward.cli._fields import app_fields
from doorward.cli._output import print_item
from doorward.cli._params import ACCESS, LABEL, unique
from doorward.cli._report import report
from doorward.cli._session import Session, pass_session, session_options
from doorward.cli._wait import Waiting, wait_options

_BESIDE_A_FILE = frozenset({"file", "wait", "wait_timeout", "quiet"})
"""What may be given with `-f`: all else is what the file says."""


@click.command(
    epilog=examples(
        "doorward apps create hello --region GRA --label group=A --process -- python hello.py --port {port}",
        "doorward apps create shop --region GRA --label group=B --external 10.0.0.5:8000",
        "doorward apps create -f app.yaml --wait --timeout 5m",
        "APP=$(doorward apps create -f - --quiet < app.yaml)",
    )
)
@click.argument("name", required=False)
@source_options
@click.option("--region", help="Where the app runs, such as GRA; required.", shell_complete=complete_regions)
@click.option(
    "--label", "labels", multiple=True, type=LABEL, metavar="KEY=VALUE", help="A label; repeatable."
)
@click.option("--access", type=ACCESS, default="token-required", help="Who may use the app.")
@click.option("--operator-path", multiple=True, metavar="/PATH", help="A prefix for operators; repeatable.")
@readiness_options
@click.option("--cors-preflight", is_flag=True, help="Let CORS preflight requests through without a token.")
@click.option(
    "-f",
    "--file",
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="A YAML or JSON file with one app, in the place of a name and options; - reads standard input.",
)
@wait_options("RUNNING")
@click.option("-q", "--quiet", is_flag=True, help="Print the app's id alone, as -o id does.")
@session_options("id", "url")
@click.pass_context
@pass_session
def create(
    session: Session,
    ctx: click.Context,
    *,
    name: str | None,
    command: tuple[str, ...],
    region: str | None,
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
    file: str | None,
    wait: bool,
    wait_timeout: timedelta | None,
    quiet: bool,
) -> int | None:
    """Create an app and start it.

    What is on a command line is seen by others on this machine: give secrets of an app in a file, as
    spec.process.env. COMMAND is run as it is, by no shell; {port} in it becomes the port to listen on.
    """
    where = ""
    if file is not None:
        _refuse_what_is_in_the_file(ctx)
        where, wanted = _from_file(file)
    else:
        if name is None or region is None:
            raise click.UsageError("give NAME and --region, or -f FILE")
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
        wanted = doorward.App(display_name=name, region=region, labels=unique(labels, "--label"), spec=spec)
    with session.client() as client:
        waiting = Waiting(session, client, wait_timeout)
        try:
            app = client.apps.create(
                wanted.display_name, region=wanted.region, labels=wanted.labels, spec=wanted.spec
            )
        except doorward.InvalidArgument as error:
            if not where:
                raise
            return report(error, about=where, fields_of="app.")
        if wait:
            app.status.CopyFrom(waiting.until(app.app_id, silent=quiet))
    if quiet:
        click.echo(app.app_id)
    else:
        print_item(app, app_fields(app), session.output)
    return None


def _refuse_what_is_in_the_file(ctx: click.Context) -> None:
    given = [
        param.opts[0]
        for param in ctx.command.params
        if param.name and param.expose_value and param.name not in _BESIDE_A_FILE
        if ctx.get_parameter_source(param.name) not in (ParameterSource.DEFAULT, None)
    ]
    if given:
        raise click.UsageError(f"-f says it all: leave out {', '.join(given)}")


def _from_file(file: str) -> tuple[str, doorward.App]:
    """Return the one app of a file, and where it stands."""
    found = read_apps([file])
    if len(found) > 1:
        raise click.UsageError(
            f"-f has {len(found)} apps: create makes one, doorward apps apply takes several"
        )
    if found[0].app.app_id:
        raise click.UsageError(f"{found[0].where}: appId: the server chooses it: leave it out")
    return found[0].where, found[0].app
