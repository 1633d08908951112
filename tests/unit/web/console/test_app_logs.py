"""Following a log: each line as it comes, for no longer than the session, and not for ever."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from doorward.v1.app_service_pb2 import LOG_STREAM_STDERR, ReadAppLogsResponse
from doorward_server.web.console.apps import logs
from tests.unit.web.console.apps import APP_ID, PATH
from tests.unit.web.console.conftest import Console
from tests.unit.web.console.fake_api import NO_SESSION, SESSION, RefusedError

STREAM = f"{PATH}/logs"
ACCEPTS = {"accept": "text/event-stream", "sec-fetch-mode": "cors"}


def a_line(text: str) -> ReadAppLogsResponse:
    """Something that was printed to standard error."""
    return ReadAppLogsResponse(stream=LOG_STREAM_STDERR, line=text)


async def test_lines_come_as_events(console: Console) -> None:
    """The newest first, then what follows, each a line of JSON that no text can break out of."""
    console.api.answers["ReadAppLogs"] = lambda _: [a_line("one\n\nevent: end"), a_line("<b>")]
    answer = await console.open(STREAM, headers=ACCEPTS)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    events = [each for each in answer.text.split("\n\n") if each]
    assert events[0].startswith("retry: ")
    lines = [json.loads(each.removeprefix("data: ")) for each in events[1:3]]
    assert [each["line"] for each in lines] == ["one\n\nevent: end", "<b>"]
    assert {each["stream"] for each in lines} == {"stderr"}
    assert events[3].startswith("event: end\n")
    (request,) = console.api.asked("ReadAppLogs")
    assert (request.app_id, request.follow) == (APP_ID, True)


@pytest.mark.parametrize(
    ("refused", "says"),
    [
        (NO_SESSION, "Your session has ended."),
        (RefusedError(grpc.StatusCode.NOT_FOUND, "APP_NOT_FOUND"), "There is no such app."),
        (RefusedError(grpc.StatusCode.PERMISSION_DENIED, "ROLE_TOO_LOW", "too low"), "Too low."),
        (RefusedError(grpc.StatusCode.DEADLINE_EXCEEDED), ""),
        (RefusedError(grpc.StatusCode.UNAVAILABLE), ""),
    ],
    ids=lambda value: value.code.name if isinstance(value, RefusedError) else "",
)
async def test_the_end_says_whether_to_ask_again(console: Console, refused: RefusedError, says: str) -> None:
    """A browser asks anew by itself unless it is told why not."""
    console.api.refuse("ReadAppLogs", refused)
    text = (await console.open(STREAM, headers=ACCEPTS)).text
    assert says in text
    assert ("event: problem" in text) == bool(says)


async def test_following_is_no_use_that_keeps_a_session(console: Console) -> None:
    """A page that is left open does not stay signed in by its log."""
    console.api.renewed = "c1." + "B" * 108
    console.api.answers["ReadAppLogs"] = lambda _: []
    await console.open(STREAM, headers=ACCEPTS)
    assert console.cookies["__Host-doorward-console"] == SESSION


class Listener:
    """Somebody who follows by ASGI alone, and can hang up; httpx waits for the end."""

    def __init__(self, console: Console) -> None:
        self._app: Any = console.client._transport.app  # type: ignore[attr-defined]
        self._gone = asyncio.Event()
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        cookie = console._cookie()["cookie"].encode()
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "path": STREAM,
            "raw_path": STREAM.encode(),
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "headers": [(b"host", b"console.localhost:8080"), (b"cookie", cookie)],
        }
        self.task = asyncio.create_task(self._app(self._scope, self._receive, self._send))

    async def hang_up(self) -> None:
        """Go away."""
        self._gone.set()
        await asyncio.wait_for(self.task, 10)

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await self.heard.put(message.get("body", b""))


async def heard(listener: Listener, what: bytes) -> None:
    """Wait until something was sent."""
    while what not in await asyncio.wait_for(listener.heard.get(), 10):
        continue


@pytest.fixture
async def open_stream(console: Console) -> AsyncIterator[Listener]:
    """Somebody who hears a line, and nothing after it."""
    console.api.answers["ReadAppLogs"] = lambda _: [a_line("first"), None]
    listener = Listener(console)
    yield listener
    await listener.hang_up()


async def test_who_hangs_up_leaves_nothing_behind(console: Console, open_stream: Listener) -> None:
    """Api's stream ends with the browser's, and the place is free again."""
    await heard(open_stream, b"first")
    assert logs._followers.by_token.total() == 1
    await open_stream.hang_up()
    await asyncio.wait_for(console.api.ended.wait(), 10)
    assert logs._followers.by_token.total() == 0


async def test_silence_is_broken_by_beats(
    monkeypatch: pytest.MonkeyPatch, console: Console, open_stream: Listener
) -> None:
    """Else nobody finds out that a browser is gone."""
    await heard(open_stream, b"first")
    monkeypatch.setattr(logs, "_BEAT_SECONDS", 0.01)
    other = Listener(console)
    await heard(other, b": \n\n")
    await other.hang_up()


@pytest.mark.parametrize("bound", ["_MOST", "_MOST_OF_A_TOKEN"])
async def test_there_is_a_bound(
    monkeypatch: pytest.MonkeyPatch, console: Console, open_stream: Listener, bound: str
) -> None:
    """For all, and for one token; who is refused is told what to do, and asks no further."""
    monkeypatch.setattr(logs, bound, 1)
    await heard(open_stream, b"first")
    answer = await console.open(STREAM, headers=ACCEPTS)
    assert "event: problem" in answer.text
    assert "Too many logs are followed at once." in answer.text
    assert len(console.api.asked("ReadAppLogs")) == 1
