"""What is an `AsyncClient`'s alone: event loops, tasks and what ends them."""

import asyncio
from contextlib import suppress

import grpc
import pytest

import doorward
from doorward.v1.app_service_pb2 import ReadAppLogsResponse
from tests.support.waiting import eventually
from tests.unit.client.fake_api import FakeApi, Seen

APP_ID = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"


async def arrival(api: FakeApi, rpc: str) -> None:
    """Wait until a call of *rpc* has arrived."""

    async def look() -> list[Seen]:
        return api.state.seen[rpc]

    await eventually(look, what=f"a call of {rpc}")


async def test_many_calls_at_once(api: FakeApi) -> None:
    """Calls of one client run side by side."""
    async with doorward.AsyncClient(api.address) as client:
        tokens = await asyncio.gather(*(client.whoami() for _ in range(50)))
    assert {token.display_name for token in tokens} == {"me"}


async def test_a_token_is_awaited(api: FakeApi) -> None:
    """The token may come from a coroutine."""

    async def source() -> str:
        await asyncio.sleep(0)
        return "secret-1"

    async with doorward.AsyncClient(api.address, token=source) as client:
        await client.whoami()
        assert await client.metadata() == (("authorization", "Bearer secret-1"),)
    assert api.seen("WhoAmI").metadata["authorization"] == "Bearer secret-1"


async def test_a_token_that_does_not_come(api: FakeApi) -> None:
    """The deadline of a call is also its token's."""

    async def source() -> str:
        await asyncio.Event().wait()
        return ""

    async with doorward.AsyncClient(api.address, token=source) as client:
        with pytest.raises(doorward.DeadlineExceeded, match="the source of the token did not answer in time"):
            await client.whoami(timeout=0.05)


async def test_a_sources_own_timeout(api: FakeApi) -> None:
    """A `TimeoutError` of the source is not taken for the call's deadline."""

    def source() -> str:
        raise TimeoutError("the vault is slow")

    async with doorward.AsyncClient(api.address, token=source) as client:
        with pytest.raises(TimeoutError, match="the vault is slow"):
            await client.whoami()


async def test_a_cancelled_task_is_cancelled(api: FakeApi) -> None:
    """Who cancels a task that waits for an answer gets a cancelled task, not an error of the client."""
    api.state.held.add("WhoAmI")
    async with doorward.AsyncClient(api.address) as client:
        task = asyncio.create_task(client.whoami())
        await arrival(api, "WhoAmI")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.whoami()


async def test_closing_ends_a_running_call(api: FakeApi) -> None:
    """A call that runs when its client is closed raises `Cancelled`; its task goes on."""
    api.state.held.add("WhoAmI")
    client = doorward.AsyncClient(api.address)
    task = asyncio.create_task(client.whoami())
    await arrival(api, "WhoAmI")
    await client.close()
    with pytest.raises(doorward.Cancelled):
        await task
    assert not task.cancelled()


async def test_closing_ends_a_stream_that_is_read(api: FakeApi) -> None:
    """A stream that is waited for when its client, or it, is closed raises `Cancelled`."""
    api.state.lines.append(ReadAppLogsResponse(line="hello"))
    for what in ("client", "stream"):
        async with doorward.AsyncClient(api.address) as client:
            stream = client.apps.logs(APP_ID, follow=True)
            await anext(stream)
            task = asyncio.create_task(anext(stream))
            await asyncio.sleep(0)
            await (client.close() if what == "client" else stream.close())
            with pytest.raises(doorward.Cancelled):
                await task


async def test_closing_ends_the_wait_for_a_repeat(api: FakeApi) -> None:
    """A call that waits to be repeated is not made any more by a client that is closed."""
    api.fail("WhoAmI", grpc.StatusCode.UNAVAILABLE, times=100)
    client = doorward.AsyncClient(api.address)
    task = asyncio.create_task(client.whoami())
    await arrival(api, "WhoAmI")
    await client.close()
    with pytest.raises((RuntimeError, doorward.DoorwardError)):
        await task
    assert not task.cancelled()


def test_a_client_is_made_before_the_loop_and_stays_with_it(api: FakeApi) -> None:
    """A client may be made anywhere; a second event loop is refused with a reason, not left to hang."""
    client = doorward.AsyncClient(api.address)

    async def use() -> None:
        await client.whoami()

    with pytest.raises(RuntimeError, match="no running event loop"):
        _ = client.channel
    with asyncio.Runner() as runner:
        runner.run(use())
        with pytest.raises(RuntimeError, match="stays with the event loop of its first call"):
            asyncio.run(use())
        runner.run(client.close())


async def test_pages_while_other_tasks_run(api: FakeApi) -> None:
    """A list asks for a page when it is needed, and lets others run meanwhile."""
    async with doorward.AsyncClient(api.address) as client:
        spec = doorward.external("127.0.0.1:1")
        made = [(await client.apps.create("a", region="GRA", spec=spec)).app_id for _ in range(5)]
        assert [app.app_id async for app in client.apps.list(page_size=2)] == made
        assert [len(page.apps) async for page in client.apps.list(page_size=2).pages()] == [2, 2, 1]


async def test_waiting_can_be_cancelled(api: FakeApi) -> None:
    """Who stops waiting for an app stops its call, too."""
    api.state.statuses.append(doorward.AppStatus())  # nothing happens any more
    async with doorward.AsyncClient(api.address) as client:
        app = await client.apps.create("a", region="GRA", spec=doorward.external("127.0.0.1:1"))
        task = asyncio.create_task(client.apps.wait(app.app_id, timeout=60))
        await arrival(api, "WatchApp")
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
