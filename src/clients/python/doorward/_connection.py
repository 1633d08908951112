"""What a client is connected with, whichever way it makes its calls."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

import grpc

from doorward._credential import Credential
from doorward._timeouts import Timeouts

Stub = TypeVar("Stub")


class Connected(ABC):
    """The connection of one client, and what goes with every call."""

    def __init__(self, *, address: str, credential: Credential, timeouts: Timeouts) -> None:
        self.address = address
        self.timeouts = timeouts
        self._credential = credential
        self._stubs: dict[Callable[..., Any], Any] = {}
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the connection is closed for good."""
        return self._closed

    def stub(self, kind: Callable[[grpc.Channel], Stub]) -> Stub:
        """Return a generated stub over the channel. Raises `RuntimeError` when the client is closed.

        Of a client that awaits, its methods are those of `grpc.aio`; generated code says so by overloads,
        which nothing that is written for both can follow.
        """
        channel = self._open_channel()
        if kind not in self._stubs:
            self._stubs[kind] = kind(channel)
        stub: Stub = self._stubs[kind]
        return stub

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise RuntimeError("the client is closed")

    @abstractmethod
    def _open_channel(self) -> Any:
        """Return the channel, of whichever kind. Raises `RuntimeError` when the client is closed."""
