"""Addresses of apps, for the people who use them."""

from collections.abc import Mapping
from typing import Final

from doorward_server.domain.apps import App
from doorward_server.domain.hosts import app_host

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class AppUrls:
    """Knows where Envoy serves the apps."""

    def __init__(self, regions: Mapping[str, str], *, scheme: str, port: int) -> None:
        """*regions*: name to domain. *port*: the one that people connect to."""
        self._regions = dict(regions)
        self._scheme = scheme
        self._port = "" if _DEFAULT_PORTS.get(scheme) == port else f":{port}"

    def __call__(self, app: App) -> str:
        """The app's URL; empty when its region is no longer one of the server's."""
        domain = self._regions.get(app.region)
        return "" if domain is None else f"{self._scheme}://{app_host(app.app_id, domain)}{self._port}"
