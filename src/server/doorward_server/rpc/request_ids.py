"""The ids that name a request in logs, audit and errors."""

import re
from collections.abc import Iterable
from typing import Final
from uuid import uuid4

REQUEST_ID_KEY: Final = "doorward-request-id"
"""The metadata in which a caller may send an id, and in which every answer has it."""

# Without an underscore, which every secret has: one that was sent here would go into the log.
_FORM: Final = re.compile(r"[0-9A-Za-z](?:[-.0-9A-Za-z]{0,62}[0-9A-Za-z])?")


def request_id_of(metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
    """The id that the caller sent, if it is 1 to 64 letters, digits, `-` and `.`; else a new one."""
    given = [value for key, value in metadata or () if key == REQUEST_ID_KEY]
    if len(given) == 1 and isinstance(given[0], str) and _FORM.fullmatch(given[0]):
        return given[0]
    return str(uuid4())
