"""How a client ends, and what ends with it."""

import gc
import threading
from collections.abc import Iterator

import pytest

import doorward
from doorward.v1.app_service_pb2 import ReadAppLogsResponse
from tests.support.waiting import wait_for
from tests.unit.client.both import KINDS, Connect
from tests.unit.client.fake_api import FakeApi, mint

ADDRESS = "127.0.0.1:1"
APP_ID = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"


def test_a_closed_client_makes_no_call(api: FakeApi, connect: Connect) -> None:
    """After close, which may be repeated, every call says so."""
    client = connect(api.address)
    client.close()
    client.close()
    for call in (client.whoami, lambda: next(client.apps.watch(APP_ID)), lambda: client.channel):
        with pytest.raises(RuntimeError, match="the client is closed"):
            call()


def test_a_client_closes_with_its_block(api: FakeApi, connect: Connect) -> None:
    """Leaving the block closes the client."""
    with connect(api.address) as client:
        client.whoami()
    with pytest.raises(RuntimeError, match="the client is closed"):
        client.whoami()


@pytest.mark.parametrize("kind", KINDS)
def test_a_forgotten_client_warns(kind: str) -> None:
    """A client that is never closed warns when it goes, and shows no token."""
    clients = [getattr(doorward, kind)(ADDRESS, token=mint("1B2m9cQk0XyZ"))]
    with pytest.warns(ResourceWarning, match=rf"^unclosed <{kind} {ADDRESS}>$"):
        clients.clear()


def test_a_client_that_was_refused_does_not_warn(connect: Connect) -> None:
    """A client that could not be made has nothing to close."""
    with pytest.raises(doorward.ConfigurationError):
        connect("nowhere")
    gc.collect()


def test_closing_ends_streams(api: FakeApi, connect: Connect) -> None:
    """A stream that goes on ends when its client is closed."""
    api.state.lines.append(ReadAppLogsResponse(line="hello"))
    client = connect(api.address)
    stream = client.apps.logs(APP_ID, follow=True)
    next(stream)
    client.close()
    with pytest.raises(doorward.Cancelled):
        next(stream)


def test_closing_ends_a_stream_that_another_thread_reads(api: FakeApi) -> None:
    """Nobody is left waiting for a stream of a client that is closed."""
    api.state.lines.append(ReadAppLogsResponse(line="hello"))
    ended: list[Exception] = []

    def read(stream: Iterator[object]) -> None:
        try:
            list(stream)
        except doorward.DoorwardError as error:
            ended.append(error)

    with doorward.Client(api.address) as client:
        reader = threading.Thread(target=read, args=[client.apps.logs(APP_ID, follow=True)])
        reader.start()
        wait_for(lambda: api.state.seen["ReadAppLogs"], what="a call of ReadAppLogs")
    reader.join(30)
    assert [type(error) for error in ended] == [doorward.Cancelled]


def test_a_stream_can_be_closed_at_any_time(api: FakeApi, client: doorward.Client) -> None:
    """Closing a stream ends its call, before its first answer, after it, and a second time."""
    api.state.lines.append(ReadAppLogsResponse(line="hello"))
    for read in (0, 1):
        stream = client.apps.logs(APP_ID, follow=True)
        assert [next(stream).line for _ in range(read)] == ["hello"] * read
        stream.close()
        stream.close()
        with pytest.raises(doorward.Cancelled):
            list(stream)
