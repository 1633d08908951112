"""Seals: bytes in a text that whoever has the key reads, and nobody else makes or changes.

A sealed text is a version, such as `1.`, and in base64url the bytes and a keyed BLAKE2b-256 MAC over all that
stands before.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

_MAC_LENGTH: Final = 32


class Seal:
    """Seals bytes of one length and opens them."""

    __slots__ = ("_form", "_keyed")

    def __init__(self, key: bytes, form: "SealedForm") -> None:
        """*key* has at most 64 bytes."""
        self._form = form
        self._keyed = hashlib.blake2b(key=key, digest_size=_MAC_LENGTH)

    def seal(self, body: bytes) -> str:
        """The text."""
        return (self._form.version + urlsafe_b64encode(body + self._mac(body))).decode()

    def open(self, sealed: bytes) -> bytes | None:
        """The bytes of a text; None for what was not sealed with this key."""
        raw = self._form.decode(sealed)
        if raw is None:
            return None
        body, mac = raw[:-_MAC_LENGTH], raw[-_MAC_LENGTH:]
        return body if hmac.compare_digest(mac, self._mac(body)) else None

    def _mac(self, body: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(self._form.version + body)
        return keyed.digest()


class SealedForm:
    """How sealed texts of one kind are spelt."""

    __slots__ = ("_pattern", "version")

    def __init__(self, version: bytes, length: int) -> None:
        """*length*: of the bytes inside; with the MAC it is a multiple of three."""
        letters, spare = divmod((length + _MAC_LENGTH) * 4, 3)
        if spare:
            raise ValueError("base64 would have spare bits, and so several spellings of one text")
        self.version = version
        self._pattern = re.compile(re.escape(version) + rb"([0-9A-Za-z_-]{%d})" % letters)

    def claimed(self, sealed: bytes) -> bytes | None:
        """The bytes that a text claims to hold, for who has no key; None for what has not the form of one."""
        raw = self.decode(sealed)
        return None if raw is None else raw[:-_MAC_LENGTH]

    def decode(self, sealed: bytes) -> bytes | None:
        """The bytes and their MAC; None for what has not the form of a sealed text."""
        form = self._pattern.fullmatch(sealed)
        return None if form is None else urlsafe_b64decode(form[1])
