"""What one call of the API is: data, which both kinds of client know how to make."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from google.protobuf.message import Message

from doorward._timeouts import Timeout, Timeouts, call_limit, enforcement_limit

if TYPE_CHECKING:
    from grpc import UnaryStreamMultiCallable, UnaryUnaryMultiCallable

    from doorward._async_calls import AsyncCalls
    from doorward._calls import Calls

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary(Generic[Response, Result]):
    """A call with one answer."""

    method: "UnaryUnaryMultiCallable[Any, Response]"
    """The stub's method, of whichever kind the client's channel is."""
    request: Message
    limit: Callable[[Timeouts], float]
    """How long it may take, repeats included."""
    answer: Callable[[Response], Result]
    """What the caller gets of the response."""

    def run(self, calls: "Calls") -> Result:
        """Make the call and return its result."""
        return self.answer(calls.unary(self))

    async def run_async(self, calls: "AsyncCalls") -> Result:
        """Make the call and return its result."""
        return self.answer(await calls.unary(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Streaming(Generic[Response]):
    """A call with many answers."""

    method: "UnaryStreamMultiCallable[Any, Response]"
    request: Message
    limit: Callable[[Timeouts], float | None]
    """How long it may take until its last answer, repeats included; None for as long as it takes."""


def call(
    method: "UnaryUnaryMultiCallable[Request, Response]",
    request: Request,
    timeout: Timeout,
    answer: Callable[[Response], Result],
) -> Unary[Response, Result]:
    """Return a call within *timeout* or the client's own."""
    return Unary(method=method, request=request, limit=call_limit(timeout), answer=answer)


def enforced(
    method: "UnaryUnaryMultiCallable[Request, Response]",
    request: Request,
    timeout: Timeout,
    answer: Callable[[Response], Result],
) -> Unary[Response, Result]:
    """Return a call that answers when no replica allows any more what it took away."""
    return Unary(method=method, request=request, limit=enforcement_limit(timeout), answer=answer)


def whole(response: Response) -> Response:
    """Return a response as it is: what is answered when it says more than one thing."""
    return response
