"""The token a client carries."""

import re

from doorward._exceptions import ConfigurationError


class Credential:
    """A token that goes with every call. Never shows itself."""

    __slots__ = ("_token",)

    def __init__(self, token: str | None) -> None:
        """Take *token*, or None for calls without one. Raises `ConfigurationError`, which never has it."""
        # gRPC would name what it cannot send, token and all.
        if token is not None and not re.fullmatch(r"[\x21-\x7e]+", token):
            raise ConfigurationError("the token has characters that no token has, or none at all")
        self._token = token

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Return what a call carries (RFC 6750 §2.1)."""
        return () if self._token is None else (("authorization", f"Bearer {self._token}"),)

    def __repr__(self) -> str:
        return f"<Credential {'none' if self._token is None else 'hidden'}>"
