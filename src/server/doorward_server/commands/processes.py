"""`doorward api`, `check`, `web` and `envoy`: one process each, for a deployment of your own."""

import asyncio
import sys
from pathlib import Path

import click

from doorward_server.bootstrap.gateway import gateway_config
from doorward_server.commands.faults import reports_faults
from doorward_server.descriptors import raise_descriptor_limit
from doorward_server.gateway.render import render_gateway
from doorward_server.gateway.run import check_port_is_free, exec_envoy
from doorward_server.home import make_home
from doorward_server.logs import set_up_logging
from doorward_server.settings import load_settings


@click.command(short_help="Run the control plane alone.", epilog="\b\nExample:\n  doorward api")
@reports_faults
def api() -> None:
    """Run the control plane: the public API, the policy stream, and the apps that are processes.

    The platform key and the database must be there: see `doorward init`.
    """
    from doorward_server.bootstrap.control_plane import run_api

    settings = load_settings()
    set_up_logging(settings, process="api")
    asyncio.run(run_api(settings))


@click.command(
    short_help="Run one replica of the data plane alone.",
    epilog="\b\nExample:\n  DOORWARD_CHECK_INDEX=1 doorward check",
)
@reports_faults
def check() -> None:
    """Run one replica of the data plane, which answers Envoy's ext_authz on a Unix socket."""
    from doorward_server.bootstrap.check import run_check

    settings = load_settings()
    set_up_logging(settings, process=f"check-{settings.check_index}")
    raise_descriptor_limit()
    sys.exit(asyncio.run(run_check(settings)))


@click.command(short_help="Run the login pages and the console alone.", epilog="\b\nExample:\n  doorward web")
@reports_faults
def web() -> None:
    """Run the pages that browsers log in on, and the console, behind Envoy, on a Unix socket."""
    from doorward_server.bootstrap.web import run_web

    settings = load_settings()
    set_up_logging(settings, process="web")
    raise_descriptor_limit()
    asyncio.run(run_web(settings))


@click.command(
    short_help="Run Envoy alone, or render its configuration.",
    epilog="\b\nExamples:\n  doorward envoy\n  doorward envoy --render /etc/envoy",
)
@click.option(
    "--render",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the configuration into this folder and end, for an Envoy of your own.",
)
@reports_faults
def envoy(render: Path | None) -> None:
    """Run the real Envoy with the configuration in envoy/, filled in from the settings."""
    settings = load_settings()
    config = gateway_config(settings)
    if render is not None:
        click.echo(render_gateway(config, render))
        return
    check_port_is_free(settings.listen_address, settings.envoy_port)
    make_home(settings.home)
    make_home(settings.run)
    path = render_gateway(config, settings.home / "envoy")
    exec_envoy(path, log_format=settings.log_format, concurrency=settings.envoy_concurrency or None)
