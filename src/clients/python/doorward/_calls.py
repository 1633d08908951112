"""How a blocking call is made: with its credential and a deadline, and with the client's errors."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import grpc

from doorward._connection import Connected
from doorward._credential import Credential, Metadata
from doorward._described import Streaming, Unary
from doorward._errors import from_rpc_error
from doorward._retries import Attempts
from doorward._timeouts import Timeouts

if TYPE_CHECKING:
    from grpc import _CallIterator

Response = TypeVar("Response")


class Stream(Generic[Response]):
    """The answers of a call that goes on: iterate over it. Leaving its `with` block ends the call.

    It begins at once. Until its first answer it is repeated as other calls are; then an error is the
    caller's, who alone knows whether to begin anew.
    """

    def __init__(self, calls: "Calls", described: Streaming[Response]) -> None:
        self._calls = calls
        self._described = described
        self._attempts = Attempts(described.request, described.limit(calls.timeouts))
        self._answered = False
        self._closed = False
        self._call: _CallIterator[Response] = self._begin()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Response:
        while True:
            try:
                answer = next(self._call)
            except grpc.RpcError as cause:
                error = from_rpc_error(cause, address=self._calls.address)
                if self._answered:
                    raise error from cause
                pause = self._attempts.pause_after(error, cause)
            else:
                self._answered = True
                return answer
            time.sleep(pause)
            self._call = self._begin()
            if self._closed:  # by another thread, which has ended the call before this one
                self._call.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the call. May be repeated."""
        self._closed = True
        self._call.cancel()

    def _begin(self) -> "_CallIterator[Response]":
        metadata = self._calls.metadata()
        return self._described.method(
            self._described.request, timeout=self._attempts.left(), metadata=metadata
        )


class Calls(Connected):
    """Makes the calls of one blocking client."""

    def __init__(
        self, channel: grpc.Channel, *, address: str, credential: Credential, timeouts: Timeouts
    ) -> None:
        super().__init__(address=address, credential=credential, timeouts=timeouts)
        self._channel = channel

    @property
    def channel(self) -> grpc.Channel:
        """The channel. Raises `RuntimeError` when the client is closed."""
        self._refuse_when_closed()
        return self._channel

    def metadata(self) -> Metadata:
        """Return what goes along with a call that is made now."""
        self._refuse_when_closed()
        return self._credential.metadata()

    def unary(self, call: Unary[Response, Any]) -> Response:
        """Make a call, with the repeats it may have, and return its answer."""
        attempts = Attempts(call.request, call.limit(self.timeouts))
        while True:
            metadata = self.metadata()
            try:
                return call.method(call.request, timeout=attempts.left(), metadata=metadata)
            except grpc.RpcError as cause:
                pause = attempts.pause_after(from_rpc_error(cause, address=self.address), cause)
            time.sleep(pause)

    def stream(self, call: Streaming[Response]) -> Stream[Response]:
        """Begin a call with many answers."""
        return Stream(self, call)

    def close(self) -> None:
        """End what runs and close the connection. May be repeated."""
        self._closed = True
        self._channel.close()

    def _open_channel(self) -> grpc.Channel:
        return self.channel
