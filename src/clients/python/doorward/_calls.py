"""How a blocking call is made: with its credential and a deadline, and with the client's errors."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import grpc
from google.protobuf.message import Message

from doorward._conversions import seconds
from doorward._credential import Credential
from doorward._errors import from_rpc_error
from doorward._retries import at_least, delays, is_worth_repeating
from doorward._timeouts import Timeout, Timeouts

if TYPE_CHECKING:
    from grpc import UnaryStreamMultiCallable, UnaryUnaryMultiCallable, _CallIterator

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response")


class Stream(Generic[Response]):
    """The answers of a call that goes on: iterate over it. Leaving it, or its `with` block, ends the call."""

    def __init__(self, call: "_CallIterator[Response]", *, address: str) -> None:
        self._call = call
        self._address = address

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Response:
        try:
            return next(self._call)
        except grpc.RpcError as error:
            raise from_rpc_error(error, address=self._address) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the call. May be repeated."""
        self._call.cancel()


class Calls:
    """Makes the calls of one client."""

    def __init__(
        self, channel: grpc.Channel, *, address: str, credential: Credential, timeouts: Timeouts
    ) -> None:
        self.channel = channel
        self.address = address
        self.timeouts = timeouts
        self._credential = credential
        self._closed = False

    def unary(
        self,
        method: "UnaryUnaryMultiCallable[Request, Response]",
        request: Request,
        timeout: Timeout,
    ) -> Response:
        """Make a call and return its answer, within *timeout* or the client's own."""
        return self._unary(method, request, self.timeouts.call if timeout is None else seconds(timeout))

    def enforced(
        self,
        method: "UnaryUnaryMultiCallable[Request, Response]",
        request: Request,
        timeout: Timeout,
    ) -> Response:
        """Make a call that answers when no replica allows any more what it took away."""
        limit = self.timeouts.enforcement if timeout is None else seconds(timeout)
        return self._unary(method, request, limit)

    def stream(
        self,
        method: "UnaryStreamMultiCallable[Request, Response]",
        request: Request,
        timeout: Timeout,
    ) -> Stream[Response]:
        """Begin a call with many answers, which has a deadline only when *timeout* is given."""
        self._refuse_when_closed()
        limit = None if timeout is None else seconds(timeout)
        call = method(request, timeout=limit, metadata=self._credential.metadata())
        return Stream(call, address=self.address)

    def close(self) -> None:
        """End what runs and close the connection. May be repeated."""
        self._closed = True
        self.channel.close()

    @property
    def closed(self) -> bool:
        """Whether the connection is closed for good."""
        return self._closed

    def _unary(
        self, method: "UnaryUnaryMultiCallable[Request, Response]", request: Request, limit: float
    ) -> Response:
        deadline = time.monotonic() + limit
        repeats = delays(request)
        while True:
            self._refuse_when_closed()
            left = max(deadline - time.monotonic(), 0.001)
            try:
                return method(request, timeout=left, metadata=self._credential.metadata())
            except grpc.RpcError as cause:
                error = from_rpc_error(cause, address=self.address)
                delay = next(repeats, None) if is_worth_repeating(error) else None
                if delay is None or time.monotonic() + at_least(delay, error.retry_after) >= deadline:
                    raise error from cause
            time.sleep(at_least(delay, error.retry_after))

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise RuntimeError("the client is closed")
