"""A method of the API, written once and called in two ways: blocking, or awaited.

What a method sends, what it answers and how it is repeated is the same for `Client` and `AsyncClient`. So a
part of the surface is one class of methods that only describe what is to be done; `Blocking` or `Awaiting`
beside it says who does it:

    class AppMethods(Part):
        @operation
        def get(self, app_id: str, *, timeout: Timeout = None) -> Operation[App]: ...

    class Apps(Blocking, AppMethods): ...        # apps.get("…") returns an App
    class AsyncApps(Awaiting, AppMethods): ...   # await apps.get("…") does
"""

import inspect
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import update_wrapper
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, get_args, overload

from doorward._async_calls import AsyncCalls, AsyncStream
from doorward._calls import Calls, Stream
from doorward._connection import Connected
from doorward._described import Streaming
from doorward._pages import AsyncPages, Page, Pages

P = ParamSpec("P")
T = TypeVar("T")
B = TypeVar("B")
A = TypeVar("A")
R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")
Sheet = TypeVar("Sheet", bound=Page)


class Operation(Protocol[R_co]):
    """Something to be done, in whichever way the client works."""

    def run(self, calls: Calls, /) -> R_co: ...
    async def run_async(self, calls: AsyncCalls, /) -> R_co: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[T, Sheet]):
    """A list: how to ask for the page that a token names, and what is on one."""

    page: Callable[[str], Operation[Sheet]]
    items: Callable[[Sheet], Iterable[T]]


class Part:
    """Methods of the API that belong together."""

    _calls: Connected


class Blocking(Part):
    """A part whose methods return when they are done."""

    _calls: Calls

    def __init__(self, calls: Calls) -> None:
        self._calls = calls


class Awaiting(Part):
    """A part whose methods are awaited."""

    _calls: AsyncCalls

    def __init__(self, calls: AsyncCalls) -> None:
        self._calls = calls


class Method(Generic[P, B, A]):
    """A method in both ways. On a part it is the one that is that part's."""

    def __init__(
        self,
        blocking: Callable[Concatenate[Blocking, P], B],
        awaiting: Callable[Concatenate[Awaiting, P], A],
    ) -> None:
        self._blocking = blocking
        self._awaiting = awaiting

    @overload
    def __get__(self, part: Blocking, owner: type) -> Callable[P, B]: ...
    @overload
    def __get__(self, part: Awaiting, owner: type) -> Callable[P, A]: ...
    def __get__(self, part: Part | None, owner: type) -> Callable[..., object]:
        function = self._awaiting if issubclass(owner, Awaiting) else self._blocking
        return function if part is None else MethodType(function, part)


def operation(
    describe: Callable[Concatenate[Any, P], Operation[R]],
) -> Method[P, R, Coroutine[object, None, R]]:
    """Make a method of what describes an operation: it does it and returns its result."""

    def blocking(self: Blocking, *args: P.args, **kwargs: P.kwargs) -> R:
        return describe(self, *args, **kwargs).run(self._calls)

    async def awaiting(self: Awaiting, *args: P.args, **kwargs: P.kwargs) -> R:
        return await describe(self, *args, **kwargs).run_async(self._calls)

    # Not Coroutine[Any, Any, R]: with an Any in it, type checkers know nothing of what `gather` returns.
    return Method(_shown(blocking, describe, returns=None), _shown(awaiting, describe, returns=None))


def listing(
    describe: Callable[Concatenate[Any, P], Listing[T, Sheet]],
) -> Method[P, Pages[T, Sheet], AsyncPages[T, Sheet]]:
    """Make a method of what describes a list: it returns the list, which asks when it is looked at."""

    def blocking(self: Blocking, *args: P.args, **kwargs: P.kwargs) -> Pages[T, Sheet]:
        pages = describe(self, *args, **kwargs)
        return Pages(lambda token: pages.page(token).run(self._calls), pages.items)

    def awaiting(self: Awaiting, *args: P.args, **kwargs: P.kwargs) -> AsyncPages[T, Sheet]:
        pages = describe(self, *args, **kwargs)
        return AsyncPages(lambda token: pages.page(token).run_async(self._calls), pages.items)

    return Method(_shown(blocking, describe, returns=Pages), _shown(awaiting, describe, returns=AsyncPages))


def streaming(
    describe: Callable[Concatenate[Any, P], Streaming[R]],
) -> Method[P, Stream[R], AsyncStream[R]]:
    """Make a method of what describes a call with many answers: it returns them as they come."""

    def blocking(self: Blocking, *args: P.args, **kwargs: P.kwargs) -> Stream[R]:
        return self._calls.stream(describe(self, *args, **kwargs))

    def awaiting(self: Awaiting, *args: P.args, **kwargs: P.kwargs) -> AsyncStream[R]:
        return self._calls.stream(describe(self, *args, **kwargs))

    return Method(_shown(blocking, describe, returns=Stream), _shown(awaiting, describe, returns=AsyncStream))


def _shown(function: Callable[..., Any], describe: Callable[..., object], *, returns: Any) -> Any:
    """Return *function* as help and editors are to show it: as it is described, with what it returns.

    Of an `Operation[App]` that is an `App`; of a `Listing[…]`, where *returns* is `Pages`, `Pages[…]`.
    """
    described = inspect.signature(describe)
    parameters = get_args(described.return_annotation)
    answer = parameters[0] if returns is None else returns[parameters]
    update_wrapper(function, describe)
    function.__annotations__ = {**describe.__annotations__, "return": answer}
    signature = described.replace(return_annotation=answer)
    function.__signature__ = signature  # type: ignore[attr-defined]  # functions have one when it is set
    return function
