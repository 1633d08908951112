"""Secrets that are the same in every process, so that an input which stands for one can be tried again.

They open nothing: no platform key knows them. They are made when they are needed, and never written down.
"""

import hashlib
import string
import zlib

from doorward_server.domain.credentials import Secret

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase


def derived_secret(name: str) -> Secret:
    """The secret of this name."""
    number = int.from_bytes(hashlib.blake2b(name.encode(), person=b"doorward-tests").digest())
    body = f"dw_{_base62(number, 12)}_{_base62(number >> 128, 43)}"
    return Secret(body + check_sum(body))


def check_sum(body: str) -> str:
    """The last six characters of a secret, by those before."""
    return _base62(zlib.crc32(body.encode()), 6)


def _base62(number: int, length: int) -> str:
    return "".join(_ALPHABET[number // 62**place % 62] for place in reversed(range(length)))
