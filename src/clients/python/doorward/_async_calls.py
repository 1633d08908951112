"""How a call is made that is awaited: as `doorward._calls` makes it, on an event loop."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast
from weakref import WeakSet

import grpc
import grpc.aio

from doorward._connection import Connected
from doorward._credential import Credential, Metadata
from doorward._described import Streaming, Unary
from doorward._errors import from_rpc_error
from doorward._exceptions import Cancelled, DeadlineExceeded
from doorward._retries import Attempts
from doorward._timeouts import Timeouts

if TYPE_CHECKING:
    from grpc.aio import UnaryStreamCall, UnaryStreamMultiCallable, UnaryUnaryMultiCallable

Response = TypeVar("Response")


class AsyncStream(Generic[Response]):
    """The answers of a call that goes on: iterate over it. Leaving its `async with` block ends it.

    It begins when that block is entered or the first answer is asked for. Until its first answer it is
    repeated as other calls are; then an error is the caller's, who alone knows whether to begin anew.
    """

    def __init__(self, calls: "AsyncCalls", described: Streaming[Response]) -> None:
        self._calls = calls
        self._described = described
        self._attempts = Attempts(described.request, described.limit(calls.timeouts))
        self._answered = False
        self._closed = False
        self._call: UnaryStreamCall[Any, Response] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Response:
        while True:
            call = self._call or await self._begin()
            try:
                with _ended_by_close():
                    answer = await call.read()
            except grpc.RpcError as cause:
                error = from_rpc_error(cause, address=self._calls.address)
                if self._answered:
                    raise error from cause
                pause = self._attempts.pause_after(error, cause)
            else:
                self._answered = True
                if answer is grpc.aio.EOF:
                    # Of a call that was cancelled, not every version of gRPC says so.
                    raise _ended() if self._closed else StopAsyncIteration
                return cast("Response", answer)
            await asyncio.sleep(pause)
            self._call = None

    async def __aenter__(self) -> Self:
        await self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the call. May be repeated."""
        self._end()

    def _end(self) -> None:
        self._closed = True
        if self._call is not None:
            self._call.cancel()

    async def _begin(self) -> "UnaryStreamCall[Any, Response]":
        metadata = await self._calls.metadata_within(self._attempts)
        method = cast("UnaryStreamMultiCallable[Any, Response]", self._described.method)
        self._call = method(self._described.request, timeout=self._attempts.left(), metadata=metadata)
        if self._closed:
            self._call.cancel()
        return self._call


class AsyncCalls(Connected):
    """Makes the calls of one client that is awaited, all of them on one event loop."""

    def __init__(
        self,
        open_channel: Callable[[], grpc.aio.Channel],
        *,
        address: str,
        credential: Credential,
        timeouts: Timeouts,
    ) -> None:
        super().__init__(address=address, credential=credential, timeouts=timeouts)
        self._open = open_channel
        self._channel: grpc.aio.Channel | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._streams: WeakSet[AsyncStream[Any]] = WeakSet()

    @property
    def channel(self) -> grpc.aio.Channel:
        """The channel, which is opened on the event loop that first asks for it and stays with that.

        Raises `RuntimeError` on another loop, on none, and when the client is closed.
        """
        self._refuse_when_closed()
        loop = asyncio.get_running_loop()
        if self._channel is None:
            self._channel, self._loop = self._open(), loop
        elif loop is not self._loop:
            raise RuntimeError(
                "an AsyncClient stays with the event loop of its first call: make one for each"
            )
        return self._channel

    async def metadata(self) -> Metadata:
        """Return what goes along with a call that is made now."""
        metadata = await self._credential.metadata_async()
        self._refuse_when_closed()
        return metadata

    async def metadata_within(self, attempts: Attempts) -> Metadata:
        """Return it in the time that is left. Raises `DeadlineExceeded`."""
        self._refuse_when_closed()
        limit = asyncio.timeout(attempts.left())
        try:
            async with limit:
                return await self.metadata()
        except TimeoutError as cause:
            if not limit.expired():  # the source's own
                raise
            raise DeadlineExceeded(
                "the source of the token did not answer in time", code=grpc.StatusCode.DEADLINE_EXCEEDED
            ) from cause

    async def unary(self, call: Unary[Response, Any]) -> Response:
        """Make a call, with the repeats it may have, and return its answer."""
        attempts = Attempts(call.request, call.limit(self.timeouts))
        method = cast("UnaryUnaryMultiCallable[Any, Response]", call.method)
        while True:
            metadata = await self.metadata_within(attempts)
            try:
                with _ended_by_close():
                    return await method(call.request, timeout=attempts.left(), metadata=metadata)
            except grpc.RpcError as cause:
                pause = attempts.pause_after(from_rpc_error(cause, address=self.address), cause)
            await asyncio.sleep(pause)

    def stream(self, call: Streaming[Response]) -> AsyncStream[Response]:
        """Return the answers of a call, which begins with the first that is asked for."""
        stream = AsyncStream(self, call)
        self._streams.add(stream)
        return stream

    async def close(self) -> None:
        """End what runs and close the connection. May be repeated."""
        self._closed = True
        for stream in list(self._streams):
            stream._end()  # noqa: SLF001 - of this module; gRPC forgets those that nobody reads just now
        if self._channel is not None:
            await self._channel.close()

    def abandon(self) -> None:
        """Close without waiting: gRPC lets go of a channel that nobody holds."""
        self._closed = True
        self._channel = None

    def _open_channel(self) -> grpc.aio.Channel:
        return self.channel


@contextmanager
def _ended_by_close() -> Iterator[None]:
    """Raise `Cancelled` for a call that ends because its client or its stream is closed.

    gRPC raises `CancelledError` then, which would end a task that nobody has asked to end.
    """
    try:
        yield
    except asyncio.CancelledError as cause:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise _ended() from cause


def _ended() -> Cancelled:
    return Cancelled("the client has ended the call", code=grpc.StatusCode.CANCELLED)
