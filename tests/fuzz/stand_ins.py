"""Names that stand for secrets in inputs, so that none is in the corpus or in what a finding leaves behind.

A stand-in is as long as what it stands for, so that it also fits into messages whose lengths are encoded.
`{b64:...}` is the base64 of what stands behind the colon, `{wrapped:...}` the same with a space where tools
begin a new line.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Final

from doorward_server.domain.credentials import Secret
from tests.unit.domain.decision_oracle import SECRETS, SessionFacts
from tests.unit.domain.policies import MACS, SEALS

NAMES: Final = ("READER", "OPERATOR", "EXPIRED", "STRANGER")
"""Each stands for the oracle's secret of the same number."""

_BASE64: Final = re.compile(rb"\{(b64|wrapped):([^{}]*)\}")
_LINE: Final = 76


def stand_in(name: str) -> bytes:
    """What stands for the whole secret."""
    return _padded(name, 65)


def basic_stand_in(name: str) -> bytes:
    """What stands for the base64 of `user:` and the secret."""
    return _padded(f"BASIC {name}", 96)


def mac_stand_in(name: str) -> bytes:
    """What stands for the secret's MAC."""
    return _padded(f"MAC {name}", 32)


def session_stand_in(name: str) -> bytes:
    """What stands for a session of the secret's token with the first app."""
    return _padded(f"SESSION {name}", 130)


def ended_session_stand_in(name: str) -> bytes:
    """What stands for such a session after a logout."""
    return _padded(f"ENDED {name}", 130)


def session_facts(number: int, *, ended: bool) -> SessionFacts:
    """What is so about the session of a secret."""
    return SessionFacts(token=number, app=0, generation=1, seconds_left=30.0, ended=ended)


def _session(secret: Secret, *, ended: bool) -> bytes:
    return SEALS.seal(session_facts(SECRETS.index(secret), ended=ended).session()).encode()


def _padded(name: str, length: int) -> bytes:
    return b"{" + name.encode().ljust(length - 2, b".") + b"}"


_MEANINGS: Final[Mapping[Callable[[str], bytes], Callable[[Secret], bytes]]] = {
    stand_in: lambda secret: secret.encode(),
    basic_stand_in: lambda secret: b64encode(b"user:" + secret.encode()),
    mac_stand_in: MACS.mac,
    session_stand_in: lambda secret: _session(secret, ended=False),
    ended_session_stand_in: lambda secret: _session(secret, ended=True),
}

_REPLACED: Final = {
    spell(name): meaning(secret)
    for spell, meaning in _MEANINGS.items()
    for name, secret in zip(NAMES, SECRETS, strict=True)
}

WORDS: Final = tuple(each for each in _REPLACED if not each.startswith(b"{MAC"))
"""The stand-ins of what a request presents."""


def filled_in(data: bytes) -> bytes:
    """*data* with the secrets in the place of their names."""
    for name, secret in _REPLACED.items():
        data = data.replace(name, secret)
    return _BASE64.sub(_encoded, data)


def _encoded(found: re.Match[bytes]) -> bytes:
    letters = b64encode(found[2])
    if found[1] == b"b64":
        return letters
    return b" ".join(letters[at : at + _LINE] for at in range(0, len(letters), _LINE))
