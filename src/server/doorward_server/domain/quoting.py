"""Hostile text in errors: quoted, shortened, and without what may be a secret."""

import re
from typing import Final

_SHOWN_LENGTH: Final = 80
# A secret, also one that was cut short: people paste them into the wrong field.
_SECRET = re.compile(r"dw_[0-9A-Za-z_]{16,}", re.ASCII)


def quoted(text: str) -> str:
    """Quote *text* for the error that refuses it; at most 80 characters of it are shown."""
    safe = _SECRET.sub("dw_...", text)
    return repr(safe if len(safe) <= _SHOWN_LENGTH else f"{safe[:_SHOWN_LENGTH]}...")
