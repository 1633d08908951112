"""The pages that browsers see."""

from urllib.parse import quote

from doorward_server.bootstrap.sockets import web_socket
from doorward_server.home import make_home, read_file
from doorward_server.settings import Settings
from doorward_server.web.console.visit import Platform
from doorward_server.web.process import WebConfig
from doorward_server.web.process import run_web as serve_pages


async def run_web(settings: Settings) -> None:
    """Answer browsers until SIGINT or SIGTERM."""
    make_home(settings.run)
    certificates = settings.web_api_ca_file
    await serve_pages(
        WebConfig(
            api_target=settings.web_api_target or f"unix:{quote(str(settings.api_socket.absolute()))}",
            api_root_certificates=None if certificates is None else read_file(certificates),
            console_host=settings.console_host,
            platform=Platform(
                regions=tuple(settings.regions), reserved_prefix=settings.reserved_label_prefix
            ),
            region_domains=tuple(settings.regions.values()),
            socket=web_socket(settings),
            grace=settings.shutdown_grace,
        )
    )
