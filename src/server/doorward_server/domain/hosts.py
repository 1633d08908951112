"""Host names: those of apps are `<app_id>.<domain of the region>`."""

import re

from doorward_server.domain.ids import AppId

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_DNS_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_DNS_NAME = rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*"
_BEHIND = r"\.?(?::[0-9]{1,5})?"
# ASCII: without it, IGNORECASE takes U+017F and U+212A for the letters s and k.
_APP_HOST = re.compile(rf"({_UUID})\.({_DNS_NAME}){_BEHIND}", re.ASCII | re.IGNORECASE)
_HOST = re.compile(rf"({_DNS_NAME}){_BEHIND}", re.ASCII | re.IGNORECASE)


def split_app_host(host: str) -> tuple[AppId, str] | None:
    """Split a request's host into an app's id and the domain it stands in.

    Case, one trailing dot and the port do not matter (RFC 9110 §4.2.3, RFC 1034 §3.1). None for everything
    that is not exactly such a host: empty, with user information, an address, several hosts.
    """
    match = _APP_HOST.fullmatch(host)
    if match is None:
        return None
    return AppId(match[1].lower()), match[2].lower()


def app_host(app_id: AppId, domain: str) -> str:
    """The host name of an app in a region with *domain*."""
    return f"{app_id}.{domain}"


def plain_host(host: str) -> str | None:
    """A request's host name in lower case, without a trailing dot and the port; None for what is no name."""
    match = _HOST.fullmatch(host)
    return None if match is None else match[1].lower()
