"""What every call passes through before it reaches a servicer, and its answer on the way back.

A layer is an asynchronous context manager around a call, so one layer serves calls with one answer and calls
with many. Requests are decoded inside of all layers: who may not call is told so whatever the request holds.
"""

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import DecodeError

from doorward_server.rpc.calls import CallState, Context, enter
from doorward_server.rpc.failures import NotOfferedError, UndecodableError
from doorward_server.rpc.request_ids import REQUEST_ID_KEY, request_id_of

Layer = Callable[[CallState, Context], AbstractAsyncContextManager[None]]
"""Surrounds one call. What it raises goes to the layers around it."""

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
"""What gRPC answers one method with."""

Behaviour = Callable[..., Any]
"""A servicer's method, which takes the request, or an iterator of them, and the context."""


class LayeredInterceptor(grpc.aio.ServerInterceptor):
    """Puts layers around every call."""

    def __init__(self, *layers: Layer, guard: Layer) -> None:
        """*layers*, the outermost first; *guard*: the innermost, left out where no servicer is behind it."""
        self._layers = layers
        self._guard = guard

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        method = handler_call_details.method
        handler = await continuation(handler_call_details)
        return self._unserved(method) if handler is None else self._layered(method, handler)

    def _unserved(self, method: str) -> Handler:
        async def refuse(_request: bytes, context: Context) -> bytes:
            async with self._entered(method, context, self._layers, streaming=False):
                raise NotOfferedError(method)

        return grpc.unary_unary_rpc_method_handler(refuse)

    def _layered(self, method: str, handler: Handler) -> Handler:
        layers = (*self._layers, self._guard)
        behaviour = _behaviour(handler)
        # Without a deserializer gRPC hands over the bytes, which are decoded inside of the layers.
        decode = _passed_on if handler.request_streaming else _decoder(handler.request_deserializer)
        deserializer = handler.request_deserializer if handler.request_streaming else None

        async def answer(request: Any, context: Context) -> Any:
            async with self._entered(method, context, layers, streaming=False) as state:
                response = await behaviour(decode(request), context)
                await state.send_initial_metadata(context)
            return response

        async def stream(request: Any, context: Context) -> None:
            async with self._entered(method, context, layers, streaming=True) as state:
                if not inspect.isasyncgenfunction(behaviour):
                    await state.send_initial_metadata(context)
                    await behaviour(decode(request), context)
                    return
                # Written here rather than yielded to gRPC, which leaves a generator that a caller has
                # turned away from to the garbage collector.
                responses: AsyncGenerator[Any, None] = behaviour(decode(request), context)
                async with aclosing(responses):
                    async for response in responses:
                        await state.send_initial_metadata(context)
                        await context.write(response)
                await state.send_initial_metadata(context)

        make = _MAKERS[handler.request_streaming, handler.response_streaming]
        return make(
            stream if handler.response_streaming else answer, deserializer, handler.response_serializer
        )

    @asynccontextmanager
    async def _entered(
        self, method: str, context: Context, layers: tuple[Layer, ...], *, streaming: bool
    ) -> AsyncIterator[CallState]:
        state = CallState(
            method=method, streaming=streaming, request_id=request_id_of(context.invocation_metadata())
        )
        state.initial_metadata.append((REQUEST_ID_KEY, state.request_id))
        enter(state)
        async with AsyncExitStack() as stack:
            for layer in layers:
                await stack.enter_async_context(layer(state, context))
            yield state


_MAKERS: dict[tuple[bool, bool], Callable[..., Handler]] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}
"""By whether requests and responses are streams."""


def _behaviour(handler: Handler) -> Behaviour:
    for behaviour in (
        handler.unary_unary,
        handler.unary_stream,
        handler.stream_unary,
        handler.stream_stream,
    ):
        if behaviour is not None:
            return behaviour
    raise TypeError("a handler that handles nothing")


def _passed_on(requests: Any) -> Any:
    return requests


def _decoder(deserialize: Callable[[bytes], Any] | None) -> Callable[[bytes], Any]:
    if deserialize is None:
        return _passed_on

    def decode(request: bytes) -> Any:
        try:
            return deserialize(request)
        except DecodeError:
            raise UndecodableError from None

    return decode
