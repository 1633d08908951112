"""The hosts that may be an app's, by form alone: strangers are not told whether there is such an app."""

from collections.abc import Iterable

from doorward_server.domain.hosts import app_host, split_app_host


class AppHosts:
    """Knows the domains of the regions, and no app."""

    def __init__(self, domains: Iterable[str]) -> None:
        self._domains = frozenset(domains)

    def name(self, host: str) -> str | None:
        """The host in its plain form, without a port, if it may be an app's; else None."""
        parts = split_app_host(host)
        if parts is None or parts[1] not in self._domains:
            return None
        return app_host(*parts)
