"""Ending streams whose token has ended."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from datetime import datetime
from typing import Any, TypeVar

from doorward_server.services.calls import Call
from doorward_server.services.clock import Clock
from doorward_server.services.errors import CredentialFault, UnauthenticatedError
from doorward_server.services.ports import Storage
from doorward_server.services.signals import Signals

T = TypeVar("T")


class TokenLiveness:
    """Watches the tokens that long calls were begun with."""

    def __init__(self, *, storage: Storage, signals: Signals, clock: Clock) -> None:
        self._storage = storage
        self._signals = signals
        self._clock = clock

    async def while_live(self, call: Call, stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """What *stream* yields, until the secret or the session that the call carries works no more.

        Then `UnauthenticatedError` is raised: whoever has the token's present secret calls again.
        """
        async with aclosing(until(self._ended(call), stream)) as live:
            async for entry in live:
                yield entry

    async def _ended(self, call: Call) -> None:
        """Raise `UnauthenticatedError` when the caller's token, or the secret or session of it, has ended."""
        with self._signals.subscribe(call.actor, call.session_id) as changed:
            while True:
                changed.clear()
                end, now = await self._end(call), self._clock()
                if end is not None and end <= now:
                    raise UnauthenticatedError(CredentialFault.INVALID)
                left = None if end is None else (end - now).total_seconds()
                try:
                    await asyncio.wait_for(changed.wait(), left)
                except TimeoutError:
                    continue

    async def _end(self, call: Call) -> datetime | None:
        """When what the call carries ends by itself; raises `UnauthenticatedError` if it was ended."""
        async with self._storage.read() as work:
            token = await work.tokens.get(call.actor)
            session = None if call.session_id is None else await work.sessions.get(call.session_id)
        generation = None if token is None else token.numbered(call.generation)
        if token is None or generation is None:
            raise UnauthenticatedError(CredentialFault.INVALID)
        end = token.end_of(generation)
        if call.session_id is None:
            return end
        if session is None or session.end_time is not None or token.generation != call.generation:
            raise UnauthenticatedError(CredentialFault.INVALID)
        return session.expire_time if end is None else min(end, session.expire_time)


async def until(end: Coroutine[Any, Any, None], stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """What *stream* yields, until it is exhausted or *end* returns. What *end* raises is raised here."""
    async with aclosing(stream):
        ended = asyncio.ensure_future(end)
        try:
            while True:
                entry = asyncio.ensure_future(anext(stream, _END))
                try:
                    await asyncio.wait({ended, entry}, return_when=asyncio.FIRST_COMPLETED)
                    if ended.done():
                        ended.result()
                        return
                    value = entry.result()
                finally:
                    await _cancel(entry)
                if isinstance(value, _End):
                    return
                yield value
        finally:
            await _cancel(ended)


class _End:
    """What a stream that has ended yields in place of a value."""


_END = _End()


async def _cancel(future: "asyncio.Future[Any]") -> None:
    future.cancel()
    await asyncio.wait({future})
