"""The client that is awaited."""

from types import TracebackType
from typing import Self

import grpc.aio

from doorward._apps import AsyncApps
from doorward._async_calls import AsyncCalls
from doorward._audit import AsyncAudit
from doorward._channel import Dial
from doorward._client_base import ClientBase
from doorward._credential import AsyncTokenSource, Credential, Metadata
from doorward._operations import Awaiting
from doorward._replicas import AsyncReplicas
from doorward._sessions import AsyncSessions
from doorward._timeouts import Timeouts
from doorward._tokens import AsyncTokens


class AsyncClient(ClientBase[AsyncTokenSource], Awaiting):
    """A client of one api, for asyncio. It stays with the event loop of its first call.

    Close it, or use it in an `async with` block; one that is left open warns (`ResourceWarning`).
    """

    apps: AsyncApps
    """What runs, and under which labels."""
    tokens: AsyncTokens
    """Who may use it."""
    sessions: AsyncSessions
    """Access of a browser, by this client's own token."""
    audit: AsyncAudit
    """Who did what."""
    replicas: AsyncReplicas
    """How current each check replica is."""

    @property
    def channel(self) -> grpc.aio.Channel:
        """The channel, for generated stubs of `doorward.v1`: nothing but the connection is the client's then.

        Calls need `metadata()`; errors are gRPC's, and nothing is repeated or has a deadline by itself.
        """
        return self._calls.channel

    async def metadata(self) -> Metadata:
        """Return what a call of a generated stub must carry: the token, as it is now."""
        return await self._calls.metadata()

    async def close(self) -> None:
        """End what runs and close the connection. May be repeated; calls after it raise `RuntimeError`."""
        await self._calls.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _connect(self, dial: Dial, *, address: str, credential: Credential, timeouts: Timeouts) -> None:
        calls = AsyncCalls(dial.open_async, address=address, credential=credential, timeouts=timeouts)
        self._calls = calls
        self.apps = AsyncApps(calls)
        self.tokens = AsyncTokens(calls)
        self.sessions = AsyncSessions(calls)
        self.audit = AsyncAudit(calls)
        self.replicas = AsyncReplicas(calls)

    def _abandon(self) -> None:
        self._calls.abandon()
