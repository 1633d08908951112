"""Whether a page of another origin has made a request: the sites of other apps among them.

A browser sends a cookie along with whatever a page asks for, so what a session permits must not be done
because some other page wants it. Apps under one domain are one site to the browser, and `SameSite` does not
keep them apart; these headers do, and no page can set them (Fetch Metadata; Fetch, "Origin header").
"""

from collections.abc import Sequence
from typing import Final

_OWN: Final = frozenset({b"same-origin", b"none"})
_READS: Final = frozenset({"GET", "HEAD"})


def is_foreign(
    method: str, host: str, *, site: Sequence[bytes], mode: Sequence[bytes], origin: Sequence[bytes]
) -> bool:
    """Whether another origin's page made the request, other than by a link that somebody follows.

    *site*, *mode* and *origin* are the raw values of `Sec-Fetch-Site`, `Sec-Fetch-Mode` and `Origin`.
    Browsers send the first two to hosts that they trust, by HTTPS or on this machine, and `Origin` with
    everything but plain reading. Programs send none of them.
    """
    if site:
        link = method in _READS and list(mode) == [b"navigate"]
        return not link and not (len(site) == 1 and site[0] in _OWN)
    if origin:
        # What has no scheme names no host, and is not taken for a page of a host without a name.
        _, scheme_end, authority = origin[0].lower().partition(b"://")
        return len(origin) != 1 or not scheme_end or authority != host.lower().encode()
    return False
