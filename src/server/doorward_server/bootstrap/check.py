"""One replica of the data plane."""

import re
import socket
from functools import partial
from urllib.parse import quote

from doorward_server.bootstrap.sockets import check_socket
from doorward_server.check.process import CheckConfig, Watch
from doorward_server.check.process import run_check as serve_checks
from doorward_server.domain.ids import RegionName
from doorward_server.home import make_home, read_file
from doorward_server.platform_key import load_platform_key
from doorward_server.settings import Settings


async def run_check(settings: Settings) -> int:
    """Answer Envoy's Checks until SIGINT or SIGTERM; the exit status."""
    make_home(settings.run)
    certificates = settings.check_api_ca_file
    return await serve_checks(
        CheckConfig(
            key=load_platform_key(settings.key_file),
            api_target=settings.check_api_target or f"unix:{quote(str(settings.api_socket.absolute()))}",
            api_root_certificates=None if certificates is None else read_file(certificates),
            display_name=_display_name(settings),
            region=None if settings.check_region is None else RegionName(settings.check_region),
            socket=check_socket(settings, settings.check_index),
            transport=settings.check_transport,
            login_enabled=settings.login_enabled,
            session_idle_timeout=settings.session_idle_timeout,
            edge_cache_lifetime=settings.edge_cache_lifetime,
            watch=_watch(settings),
        )
    )


def _watch(settings: Settings) -> Watch | None:
    """What shows the process to Prometheus, if that is wanted."""
    if settings.metrics_port is None:
        return None
    from doorward_server.metrics.check import check_metrics  # noqa: PLC0415 - no memory for what is off

    return partial(check_metrics, address=settings.metrics_address, port=settings.metrics_port)


def _display_name(settings: Settings) -> str:
    """What people call this replica. Kept to what api takes as a name, whatever the machine is called."""
    host = re.sub(r"[^A-Za-z0-9.-]", "", socket.gethostname())[:48]
    return f"{host}/check-{settings.check_index}"
