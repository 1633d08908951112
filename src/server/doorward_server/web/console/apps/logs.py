"""Following what an app prints, as server-sent events (HTML Living Standard §9.2)."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

import grpc
from starlette.responses import Response, StreamingResponse

from doorward.v1.app_service_pb2 import LogStream, ReadAppLogsRequest, ReadAppLogsResponse
from doorward_server.web.console.apps.addresses import app_id_of
from doorward_server.web.console.failures import ApiError
from doorward_server.web.console.problems import problem_of
from doorward_server.web.console.visit import Visit
from doorward_server.web.console.words import iso, utc
from doorward_server.web.pages import CONSOLE_HEADERS

_SECONDS: Final = 600.0
"""Then the browser asks anew, and is authorized anew."""
_LINES: Final = 100
_BEAT_SECONDS: Final = 15.0
"""Something has to be sent now and then to find out that nobody listens any more."""
_RETRY_MILLISECONDS: Final = 2000
_MOST: Final = 200
_MOST_OF_A_TOKEN: Final = 10


def line_of(message: ReadAppLogsResponse) -> dict[str, str]:
    """A line as pages show it."""
    stream = LogStream.Name(message.stream) if message.stream in LogStream.values() else ""
    return {
        "iso": iso(message.time),
        "utc": utc(message.time),
        "stream": stream.removeprefix("LOG_STREAM_").lower(),
        "line": message.line,
    }


@dataclass(slots=True)
class _Followers:
    """Who follows a log right now: a stream each, which stays open."""

    by_token: Counter[str] = field(default_factory=Counter)

    def full(self, token_id: str) -> bool:
        return self.by_token.total() >= _MOST or self.by_token[token_id] >= _MOST_OF_A_TOKEN


_followers = _Followers()


async def follow_logs(visit: Visit) -> Response:
    """The newest lines, and then each as it is printed."""
    events = _too_many() if _followers.full(visit.token.token_id) else _events(visit)
    headers = {**CONSOLE_HEADERS, "x-accel-buffering": "no"}
    return StreamingResponse(events, headers=headers, media_type="text/event-stream")


async def _too_many() -> AsyncIterator[str]:
    yield _event("problem", "Too many logs are followed at once. Close some pages, and refresh this one.")


async def _events(visit: Visit) -> AsyncGenerator[str, None]:
    token_id = visit.token.token_id
    _followers.by_token[token_id] += 1
    request = ReadAppLogsRequest(app_id=app_id_of(visit), tail_lines=_LINES, follow=True)
    lines = visit.api.stream(visit.api.apps.ReadAppLogs, request, seconds=_SECONDS)
    try:
        yield f"retry: {_RETRY_MILLISECONDS}\n\n"
        async with aclosing(_with_beats(lines)) as seen:
            async for line in seen:
                yield ": \n\n" if line is None else f"data: {json.dumps(line_of(line))}\n\n"
        yield _event("end", "The log has ended: the app is gone.")
    except ApiError as error:
        if error.code is grpc.StatusCode.UNAUTHENTICATED:
            yield _event("problem", "Your session has ended. Load the page again to sign in.")
        elif error.code not in {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE}:
            yield _event("problem", problem_of(error).text)
        # Else the browser asks anew.
    finally:
        _followers.by_token[token_id] -= 1


async def _with_beats(
    lines: AsyncGenerator[ReadAppLogsResponse, None],
) -> AsyncGenerator[ReadAppLogsResponse | None, None]:
    """The lines, and None whenever there was none for a while."""
    async with aclosing(lines):
        while True:
            line = asyncio.ensure_future(anext(lines, None))
            try:
                while not (await asyncio.wait({line}, timeout=_BEAT_SECONDS))[0]:
                    yield None
            finally:
                line.cancel()
                await asyncio.wait({line})
            if (value := line.result()) is None:
                return
            yield value


def _event(name: str, text: str) -> str:
    return f"event: {name}\ndata: {json.dumps(text)}\n\n"
