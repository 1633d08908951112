"""The blocking client."""

from types import TracebackType
from typing import Self

import grpc

from doorward._apps import Apps
from doorward._audit import Audit
from doorward._calls import Calls
from doorward._channel import Dial
from doorward._client_base import ClientBase
from doorward._credential import Credential, Metadata, TokenSource
from doorward._operations import Blocking
from doorward._replicas import Replicas
from doorward._sessions import Sessions
from doorward._timeouts import Timeouts
from doorward._tokens import Tokens


class Client(ClientBase[TokenSource], Blocking):
    """A client of one api, safe to use from several threads.

    Close it, or use it in a `with` block; one that is left open warns (`ResourceWarning`).
    """

    apps: Apps
    """What runs, and under which labels."""
    tokens: Tokens
    """Who may use it."""
    sessions: Sessions
    """Access of a browser, by this client's own token."""
    audit: Audit
    """Who did what."""
    replicas: Replicas
    """How current each check replica is."""

    @property
    def channel(self) -> grpc.Channel:
        """The channel, for generated stubs of `doorward.v1`: nothing but the connection is the client's then.

        Calls need `metadata()`; errors are gRPC's, and nothing is repeated or has a deadline by itself.
        """
        return self._calls.channel

    def metadata(self) -> Metadata:
        """Return what a call of a generated stub must carry: the token, as it is now."""
        return self._calls.metadata()

    def close(self) -> None:
        """End what runs and close the connection. May be repeated; calls after it raise `RuntimeError`."""
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _connect(self, dial: Dial, *, address: str, credential: Credential, timeouts: Timeouts) -> None:
        calls = Calls(dial.open(), address=address, credential=credential, timeouts=timeouts)
        self._calls = calls
        self.apps = Apps(calls)
        self.tokens = Tokens(calls)
        self.sessions = Sessions(calls)
        self.audit = Audit(calls)
        self.replicas = Replicas(calls)

    def _abandon(self) -> None:
        self._calls.close()
