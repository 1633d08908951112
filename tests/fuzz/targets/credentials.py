"""The headers `Authorization` and `Doorward-Token`: what is presented, and what the app gets to see.

An input is lines, each a header: `a` or `d` for its name, and the rest its value.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import Final, Literal

from doorward_server.domain.credentials import Secret
from doorward_server.domain.presented import (
    AUTHORIZATION,
    DOORWARD_TOKEN,
    Malformed,
    Presented,
    find_credential,
)
from tests.fuzz.stand_ins import WORDS, filled_in
from tests.fuzz.target import Target
from tests.support.derived import check_sum
from tests.unit.domain.decision_oracle import SECRETS

Find = Callable[[Sequence[bytes], Sequence[bytes]], Presented]
Meant = int | Literal["none", "malformed", "repeated"]

KNOWN: Final = tuple(secret.encode() for secret in SECRETS)
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def credential_of(authorization: Sequence[bytes], doorward_token: Sequence[bytes]) -> Meant:
    """The number of the secret that counts, by the documentation's words; what is odd is malformed."""
    if len(authorization) > 1 or len(doorward_token) > 1:
        return "repeated"
    bearer, basic = _as_bearer(authorization), _as_basic(authorization)
    candidates = [each for each in (bearer, *doorward_token, basic) if each is not None]
    if not candidates:
        return "none"
    return KNOWN.index(candidates[0]) if candidates[0] in KNOWN else "malformed"


def _as_bearer(authorization: Sequence[bytes]) -> bytes | None:
    return next(
        (value for value in _after(b"bearer ", authorization) if value.startswith(b"dw_")),
        None,
    )


def _as_basic(authorization: Sequence[bytes]) -> bytes | None:
    for value in _after(b"basic ", authorization):
        try:
            password = b64decode(value, validate=True).partition(b":")[2]
        except binascii.Error:
            return None
        return password if password.startswith(b"dw_") else None
    return None


def _after(scheme: bytes, values: Sequence[bytes]) -> Iterator[bytes]:
    return (value[len(scheme) :].strip(b" ") for value in values if value.lower().startswith(scheme))


def is_secret(value: bytes) -> bool:
    """Whether it has the form of a secret, known or not."""
    parts = value.decode("latin-1").split("_")
    whole = value.isascii() and len(value) == 65 and all(part.isalnum() for part in parts)
    if not whole or [parts[0], *map(len, parts[1:])] != ["dw", 12, 49]:
        return False
    body = value[:-6].decode()
    return value[-6:].decode() == check_sum(body)


def shows_secret(value: bytes) -> bool:
    """Whether an app can read a known secret in a header: as it is, or in base64, read as some decoders do.

    They take either alphabet, begin anywhere behind a foreign byte, and end at one or skip it.
    """
    standard = value.translate(bytes.maketrans(b"-_", b"+/"))
    begins = [at for at in range(len(value)) if at == 0 or standard[at - 1] not in _ALPHABET]
    runs = [bytes(takewhile(_ALPHABET.__contains__, standard[at:])) for at in begins]
    whole = [bytes(filter(_ALPHABET.__contains__, each)) for each in (standard, standard.partition(b" ")[2])]
    readings = [value, *map(_decoded, runs), *map(_decoded, whole)]
    return any(secret in reading for secret in KNOWN for reading in readings)


def _decoded(letters: bytes) -> bytes:
    bits = "".join(f"{_ALPHABET.index(letter):06b}" for letter in letters)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8))


def check(data: bytes, *, find: Find = find_credential) -> None:
    """What counts is what the documentation says, and nothing that holds a secret is left to the app."""
    headers: dict[bytes, list[bytes]] = {b"a": [], b"d": []}
    for line in filled_in(data).split(b"\n"):
        if line[:1] in headers:
            headers[line[:1]].append(line[1:])
    authorization, doorward_token = headers[b"a"], headers[b"d"]
    found = find(authorization, doorward_token)
    meant = credential_of(authorization, doorward_token)
    if isinstance(found.secret, Secret):
        text = found.secret.encode()
        assert text not in KNOWN or meant == KNOWN.index(text), "another secret counts than is meant"
        assert text in KNOWN or meant == "malformed", "a secret counts where none is meant"
    assert (found.secret is not None) or meant == "none", "what is presented is not seen"
    assert (found.secret is Malformed.REPEATED) == (meant == "repeated")
    for value in doorward_token:
        alone = find([], [value]).secret
        assert isinstance(alone, Secret) == is_secret(value), "not of a secret's form, or of it and refused"
    for name, values in ((AUTHORIZATION, authorization), (DOORWARD_TOKEN, doorward_token)):
        if name not in found.headers:
            assert not any(map(shows_secret, values)), "the app would see a secret"


def _used_alone_removed(authorization: Sequence[bytes], doorward_token: Sequence[bytes]) -> Presented:
    found = find_credential(authorization, doorward_token)
    return Presented(found.secret, found.headers[:1])


TARGET = Target(
    name="credentials",
    check=check,
    planted=lambda data: check(data, find=_used_alone_removed),
    words=(
        *WORDS,
        *(
            b"a",
            b"d",
            b"\na",
            b"\nd",
            b"aBearer ",
            b"aBasic ",
            b"\tdw_",
            b"{b64:",
            b"{b64:user:",
            b"{wrapped:x:",
            b"}",
            b"==",
        ),
        *(b"Bearer ", b"basic ", b"dw_", b"Digest ", b", ", b"\0", b"\xff"),
    ),
    max_length=1024,
)
