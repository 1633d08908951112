"""By what a request is recognised that came before."""

import hashlib
import secrets
from typing import TypeAlias

from google.protobuf.message import DecodeError

from doorward_server.check.requests import UnreadableRequestError
from doorward_server.extauthz.v1.recurring_request_pb2 import RecurringRequest

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

    def key(self, payload: bytes) -> Key:
        """The key of a serialized CheckRequest; raises `UnreadableRequestError`.

        Requests that say the same in other bytes, such as headers in pieces, may have different ones.
        """
        try:
            request = RecurringRequest.FromString(payload)
        except DecodeError:
            raise UnreadableRequestError from None
        # What Envoy says of the connection and the moment differs each time.
        request.DiscardUnknownFields()
        digest = self._keyed.copy()
        digest.update(request.SerializeToString())
        return digest.digest()
