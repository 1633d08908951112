"""The token a client carries, or what gives it one for each attempt."""

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from doorward._exceptions import ConfigurationError

Metadata: TypeAlias = tuple[tuple[str, str], ...]
"""What goes along with a call."""

TokenSource: TypeAlias = Callable[[], str]
"""Answers the token to use now; asked before each attempt of each call."""

AsyncTokenSource: TypeAlias = Callable[[], str | Awaitable[str]]
"""The same, which may also be awaited."""


class Credential:
    """A token that goes with every call. Never shows itself."""

    __slots__ = ("_token",)

    def __init__(self, token: str | AsyncTokenSource | None) -> None:
        """Take *token*, or None for calls without one. Raises `ConfigurationError`, which never has it."""
        self._token = _checked(token) if isinstance(token, str) else token

    def metadata(self) -> Metadata:
        """Return what a call carries. Raises `ConfigurationError` when the source gives no token."""
        if self._token is None:
            return ()
        return _bearer(self._token() if callable(self._token) else self._token)

    async def metadata_async(self) -> Metadata:
        """Return what a call carries, of a source that may have to be awaited."""
        if not callable(self._token):
            return self.metadata()
        token = self._token()
        return _bearer(await token if inspect.isawaitable(token) else token)

    def __repr__(self) -> str:
        return f"<Credential {'none' if self._token is None else 'hidden'}>"


def _bearer(token: object) -> Metadata:
    """Return a bearer credential (RFC 6750 §2.1)."""
    return (("authorization", f"Bearer {_checked(token)}"),)


def _checked(token: object) -> str:
    # gRPC would name what it cannot send, token and all.
    if not isinstance(token, str):
        if inspect.iscoroutine(token):
            token.close()  # it would warn that nobody awaited it
            raise ConfigurationError("the source of the token must be awaited: use AsyncClient")
        raise ConfigurationError(f"the source of the token gave {type(token).__name__}, not a token")
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ConfigurationError("the token has characters that no token has, or none at all")
    return token
