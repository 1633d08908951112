"""Types for things that must not be mixed up, each parsed once at the edge and trusted inside."""

import re
from typing import NewType

from doorward_server.domain.errors import InvalidValueError

AppId = NewType("AppId", str)
"""An app's UUID in its canonical lower-case form, 36 characters: the first label of its host name."""

TokenId = NewType("TokenId", str)
"""The public id of a token, 12 letters and digits."""

SessionId = NewType("SessionId", str)
"""A session's UUID in its canonical lower-case form."""

RegionName = NewType("RegionName", str)
"""The name of a region, such as `GRA`."""

Revision = NewType("Revision", int)
"""The number of a change in the policy; grows by one a change, never reused."""

_TOKEN_ID = re.compile(r"[0-9A-Za-z]{12}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DISPLAY_NAME_LENGTH = 63


def parse_app_id(text: str) -> AppId:
    """Parse an app's id, in any case; raises `InvalidValueError`."""
    return AppId(_parse_uuid(text))


def parse_session_id(text: str) -> SessionId:
    """Parse a session's id, in any case; raises `InvalidValueError`."""
    # The text is not repeated: it may be the session's credential.
    return SessionId(_parse_uuid(text))


def parse_token_id(text: str) -> TokenId:
    """Parse a token's id; raises `InvalidValueError`."""
    if not _TOKEN_ID.fullmatch(text):
        # The text is not repeated: a whole secret may have been pasted.
        raise InvalidValueError("must be 12 letters and digits")
    return TokenId(text)


def parse_request_id(text: str) -> str:
    """Parse a request's id, which is a UUID (AIP-155), in any case; raises `InvalidValueError`."""
    return _parse_uuid(text)


def parse_display_name(text: str) -> str:
    """Parse a name for people: 1 to 63 printable characters; raises `InvalidValueError`."""
    if not text.strip():
        raise InvalidValueError("must not be empty")
    if len(text) > _DISPLAY_NAME_LENGTH:
        raise InvalidValueError(f"must have at most {_DISPLAY_NAME_LENGTH} characters, has {len(text)}")
    if not text.isprintable():
        raise InvalidValueError("must have printable characters alone, and no space but ' '")
    return text


def _parse_uuid(text: str) -> str:
    # `uuid.UUID` also takes braces, URNs, `0x` and digits of every script.
    if not _UUID.fullmatch(text):
        raise InvalidValueError("must be a UUID such as 3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11")
    return text.lower()
