"""By what a request is recognised that came before."""

import hashlib
import secrets
from typing import TypeAlias

from doorward_server.extauthz.v1 import check_request_pb2

Key: TypeAlias = bytes
"""Stands for what a decision looks at in a request, path aside: headers, host, method, the route's app."""


class Keys:
    """Makes keys: digests under a key that nobody knows. For one thread.

    Headers hold secrets, so they are not kept. Of 16 bytes a digest is long enough, since two requests with
    the same one cannot be looked for but by asking: each attempt meets one of 2 ** 16 among 2 ** 128.
    """

    def __init__(self) -> None:
        self._keyed = hashlib.blake2b(key=secrets.token_bytes(32), digest_size=16)
        # BLAKE2b works on a block when the next one begins: on that of the key now, and not for each digest.
        self._keyed.update(b"\0")

    def key(self, attributes: check_request_pb2.Attributes) -> Key | None:
        """The key of a request; None where there is nothing to recognise it by."""
        http = attributes.request.http
        header_maps = http.header_map
        if not header_maps:
            return None
        # Envoy sends one, which is there sooner than it is joined with nothing.
        headers = header_maps[0] if len(header_maps) == 1 else b"".join(header_maps)
        route = attributes.context_extensions
        app_id = f"={route['app_id']}" if "app_id" in route else ""
        digest = self._keyed.copy()
        # The byte between them is in none of the texts, since it is in no UTF-8: each ends where it ends.
        digest.update(b"\xff".join((http.method.encode(), http.host.encode(), app_id.encode(), headers)))
        return digest.digest()
