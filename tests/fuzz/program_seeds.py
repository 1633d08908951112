"""The programs that the corpus began with: see `targets/programs.py` for what the numbers mean."""

from collections.abc import Mapping
from typing import Final

_READER: Final = bytes([0, 0, 1, 0])
"""Asks for `/` of the first app with the first secret."""
_READER_OF_ADMIN: Final = bytes([0, 0, 1, 2])
_OPERATOR_OF_ADMIN: Final = bytes([0, 0, 2, 2])
_READER_ELSEWHERE: Final = bytes([0, 4, 1, 1])
"""The app that guards nothing."""
_SESSION: Final = bytes([0, 4, 5, 0])
_OWN_SESSION: Final = bytes([0, 0, 5, 0])
_ANYBODY: Final = bytes([0, 1, 0, 0])
"""Asks for the public app without a credential."""

_RELABEL: Final = bytes([2, 4, 0, 1])
_GUARD: Final = bytes([2, 4, 2, 1])
_STOP: Final = bytes([2, 4, 3, 0])
_HIDE: Final = bytes([2, 1, 1, 0])
_DELETE_APP: Final = bytes([2, 4, 5, 0])
_DELETE: Final = bytes([3, 0, 7, 0])
_EXPIRE_SOON: Final = bytes([3, 0, 1, 1])
_REGENERATE: Final = bytes([3, 0, 2, 0])
_REGENERATE_WITH_GRACE: Final = bytes([3, 0, 3, 5])
_OTHER_GROUP: Final = bytes([3, 0, 4, 1])
_DEMOTE: Final = bytes([3, 1, 6, 0])

_HALF: Final = bytes([4, 1, 0, 0])
_LIFETIME: Final = bytes([4, 4, 0, 0])
_LEASE: Final = bytes([4, 6, 0, 0])
_REPORT: Final = bytes([5, 0, 0, 0])
_HEARTBEAT: Final = bytes([5, 1, 0, 0])
_LOG_OUT: Final = bytes([6, 0, 0, 0])


def _narrowed(ask: bytes, change: bytes) -> bytes:
    """Allowed, changed, acknowledged as soon as it can be; asked in each of these moments."""
    return ask * 2 + change + ask + _REPORT + ask + _HALF + _REPORT + ask + _LIFETIME + _REPORT + ask


PROGRAMS: Final[Mapping[str, bytes]] = {
    "deleted": _narrowed(_READER_ELSEWHERE, _DELETE),
    "deleted-and-made-again": _narrowed(_READER_ELSEWHERE, _DELETE) + _DELETE + _READER_ELSEWHERE,
    "regenerated": _narrowed(_READER, _REGENERATE),
    "regenerated-with-grace": _narrowed(_READER_ELSEWHERE, _REGENERATE_WITH_GRACE) + _LEASE + _READER,
    "relabelled": _narrowed(_READER_ELSEWHERE, _RELABEL),
    "guarded": _narrowed(_READER_ELSEWHERE, _GUARD),
    "stopped": _narrowed(_READER_ELSEWHERE, _STOP),
    "app-deleted": _narrowed(_READER_ELSEWHERE, _DELETE_APP),
    "public-no-more": _narrowed(_ANYBODY, _HIDE),
    "another-scope": _narrowed(_READER_ELSEWHERE, _OTHER_GROUP),
    "operator-no-more": _narrowed(_OPERATOR_OF_ADMIN, _DEMOTE),
    "expires-soon": _READER_ELSEWHERE + _EXPIRE_SOON + (_READER_ELSEWHERE + _HALF) * 3,
    "logged-out": _narrowed(_OWN_SESSION, _LOG_OUT),
    "session-after-regenerating": _narrowed(_OWN_SESSION, _REGENERATE_WITH_GRACE),
    "session-with-another-app": _SESSION * 2,
    "session-at-its-end": _OWN_SESSION + _LEASE + _HEARTBEAT + _OWN_SESSION + _LIFETIME + _OWN_SESSION,
    "lease-runs-out": _READER_ELSEWHERE + _LEASE + _READER_ELSEWHERE + (_HALF + _READER_ELSEWHERE) * 3,
    "lease-is-renewed": _READER + _LEASE + _HEARTBEAT + _LIFETIME + _READER,
    "operator-path": _READER_OF_ADMIN + _OPERATOR_OF_ADMIN * 2 + _READER,
    "empty": b"",
}
"""By name."""
