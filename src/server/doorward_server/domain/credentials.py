"""The secrets of tokens: their form, how they are made, and how they are recognised.

`dw_<id 12>_<secret 43><crc 6>`, 65 characters in base 62. The id is the token's public id, the secret has
256 bits, and the CRC-32 (zlib's) over all that stands before it tells a typing error from a guess before
anything is looked up.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass
from typing import NoReturn

from doorward_server.domain.ids import TokenId

PREFIX = "dw_"
"""What every secret begins with."""

LENGTH = 65
"""How many characters a secret has."""

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_LENGTH = 12
_SECRET_LENGTH = 43
_CRC_LENGTH = 6
_FORM = re.compile(r"dw_([0-9A-Za-z]{12})_[0-9A-Za-z]{49}", re.ASCII)
_ANYWHERE = re.compile(_FORM.pattern.encode())


class MalformedCredentialError(ValueError):
    """Text that was given as a secret does not have the form of one. Never holds the text."""

    def __init__(self) -> None:
        super().__init__(
            "not a whole Doorward token (65 characters, dw_<id>_<secret>): was it cut short or mistyped?"
        )


class Secret:
    """A token's whole secret. Shows itself only when asked by `reveal`."""

    __slots__ = ("_text", "token_id")

    def __init__(self, text: str) -> None:
        """Parse *text*; raises `MalformedCredentialError` for a wrong form or check sum."""
        form = _FORM.fullmatch(text)
        if form is None or not hmac.compare_digest(_crc(text[:-_CRC_LENGTH]), text[-_CRC_LENGTH:]):
            raise MalformedCredentialError
        self._text = text
        self.token_id = TokenId(form[1])

    def reveal(self) -> str:
        """The secret itself, for the one answer that holds it."""
        return self._text

    def encode(self) -> bytes:
        """The secret's bytes, to be hashed."""
        return self._text.encode("ascii")

    def __repr__(self) -> str:
        return f"Secret(token_id={self.token_id!r})"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is neither pickled nor copied")


def mint_token_id() -> TokenId:
    """Make the id of a new token."""
    return TokenId("".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH)))


def mint_secret(token_id: TokenId) -> Secret:
    """Make a new secret of 256 bits for the token."""
    body = f"{PREFIX}{token_id}_{_base62(secrets.randbits(256), _SECRET_LENGTH)}"
    return Secret(body + _crc(body))


def holds_secret(raw: bytes) -> bool:
    """Whether something of a secret's form stands anywhere in *raw*."""
    return _ANYWHERE.search(raw) is not None


@dataclass(frozen=True, slots=True, repr=False)
class PlatformKey:
    """The key under which secrets are recognised; it lives outside the database.

    Each use has a key of its own, derived by BLAKE2b with a personalisation.
    """

    key_id: str
    """Names the key, so that a MAC made under a former key can be told."""
    material: bytes
    """32 random bytes."""

    def token_macs(self) -> "TokenMacs":
        """What makes the MACs of secrets."""
        return TokenMacs(self._derive(b"dw-token-mac"))

    def session_key(self) -> bytes:
        """What seals the sessions of browsers with apps, 32 bytes."""
        return self._derive(b"dw-session")

    def console_key(self) -> bytes:
        """What seals the sessions of browsers with the console, 32 bytes."""
        return self._derive(b"dw-console")

    def stream_key(self) -> bytes:
        """What authenticates a replica to the policy stream, 32 bytes."""
        return self._derive(b"dw-policy-stream")

    def page_key(self) -> bytes:
        """What authenticates page tokens, 32 bytes."""
        return self._derive(b"dw-page-token")

    def _derive(self, use: bytes) -> bytes:
        return hashlib.blake2b(self.key_id.encode(), key=self.material, person=use, digest_size=32).digest()

    def __repr__(self) -> str:
        return f"PlatformKey(key_id={self.key_id!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("the platform key is neither pickled nor copied")


class TokenMacs:
    """Makes the keyed BLAKE2b-256 of secrets, by which check replicas recognise them."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        self._keyed = hashlib.blake2b(key=key, digest_size=32)

    def mac(self, secret: Secret) -> bytes:
        """The MAC of a whole secret, 32 bytes."""
        keyed = self._keyed.copy()
        keyed.update(secret.encode())
        return keyed.digest()


def _crc(text: str) -> str:
    return _base62(zlib.crc32(text.encode("ascii")), _CRC_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
