"""Which credential a request presents.

Looked at in this order, the first one found counts: `Authorization: Bearer`, `Doorward-Token`,
`Authorization: Basic` with the token as password. A Bearer or Basic credential without our prefix is the
app's own: it does not count and is left in place.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from doorward_server.domain.credentials import (
    LENGTH,
    PREFIX,
    MalformedCredentialError,
    Secret,
    holds_secret,
)

AUTHORIZATION = "authorization"
DOORWARD_TOKEN = "doorward-token"  # noqa: S105 - the name of a header

_PREFIX = PREFIX.encode()
_STANDARD = bytes.maketrans(b"-_", b"+/")
# The letters that the prefix alone decides, for each place in a group of three bytes where it may begin.
_PREFIX_IN_BASE64 = re.compile(b"ZHdf|R3X|kd1")
_NOT_BASE64 = re.sub(rb"[0-9A-Za-z+/_-]", b"", bytes(range(256)))
# Either alphabet of RFC 4648; shorter runs have no room for a secret.
_BASE64 = re.compile(rb"[0-9A-Za-z+/_-]{%d,}" % (LENGTH * 4 // 3))


class Malformed(Enum):
    """Why a presented credential cannot even be looked up."""

    REPEATED = "a credential header is there twice"
    FORM = "not of a token's form"


@dataclass(frozen=True, slots=True)
class Presented:
    """The credential of a request, and the headers that must not reach the app."""

    secret: Secret | Malformed | None = None
    """None: the request presents none."""
    headers: tuple[str, ...] = ()
    """The names of the headers that hold a credential of ours, used or not: an app never sees a token."""


NOTHING = Presented()


def find_credential(authorization: Sequence[bytes], doorward_token: Sequence[bytes]) -> Presented:
    """Find the credential among the raw values of the headers `Authorization` and `Doorward-Token`.

    Each sequence has a value for each time the header was sent, in the order of the request.
    """
    if not authorization and not doorward_token:
        return NOTHING
    found = [_from_authorization(value) for value in authorization]
    own = [_parse(value) for value in doorward_token]
    headers = (
        *((AUTHORIZATION,) if any(bearer or basic for bearer, basic in found) else ()),
        *((DOORWARD_TOKEN,) if own else ()),
    )
    if len(authorization) > 1 or len(doorward_token) > 1:
        return Presented(Malformed.REPEATED, headers)
    bearer, basic = found[0] if found else (None, None)
    return Presented(bearer or (own[0] if own else None) or basic, headers)


def _from_authorization(raw: bytes) -> tuple[Secret | Malformed | None, Secret | Malformed | None]:
    """The credential in an Authorization header: as Bearer, and as Basic.

    Schemes ignore case (RFC 9110 §11.1).
    """
    scheme, _, rest = raw.partition(b" ")
    scheme, value = scheme.lower(), rest.strip(b" ")
    if scheme == b"bearer" and value.startswith(_PREFIX):
        return _parse(value), None
    if scheme == b"basic" and (password := _password(value)).startswith(_PREFIX):
        return None, _parse(password)
    if _hides_secret(raw):
        # One of our secrets in a place where it does not count: refused, for the app would see it.
        return Malformed.FORM, None
    return None, None


def _password(value: bytes) -> bytes:
    """The password of a Basic credential (RFC 7617 §2); empty when it is not one, the app's own affair."""
    try:
        return b64decode(value, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def _hides_secret(raw: bytes) -> bool:
    """Whether a secret stands anywhere in *raw*, as it is or in base64, as the laxest app would decode it.

    So after a tab, in a list, as the user of Basic, without padding, in the alphabet of RFC 4648 §5, or in
    wrapped lines: Python's decoder is one of those that skip what is not of the alphabet.
    """
    if holds_secret(raw):
        return True
    joined = [part.translate(None, _NOT_BASE64) for part in (raw, raw.partition(b" ")[2])]
    if not _PREFIX_IN_BASE64.search(joined[0]):
        return False
    return any(holds_secret(_decode_laxly(run)) for part in (raw, *joined) for run in _BASE64.findall(part))


def _decode_laxly(run: bytes) -> bytes:
    # One character left over holds six bits of nothing.
    whole = run[:-1] if len(run) % 4 == 1 else run
    return b64decode(whole.translate(_STANDARD) + b"=" * (-len(whole) % 4))


def _parse(raw: bytes) -> Secret | Malformed:
    try:
        return Secret(raw.decode("ascii"))
    except (MalformedCredentialError, UnicodeDecodeError):
        return Malformed.FORM
