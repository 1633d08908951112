"""Calls that are answered with a stream."""

import asyncio
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from doorward.v1 import app_pb2, app_service_pb2, token_pb2, token_service_pb2
from doorward_server.domain.apps import AppState
from doorward_server.domain.roles import Role
from tests.integration.rpc.conftest import Api, Refusal, bearer, drained
from tests.support.waiting import eventually


def _watch(api: Api, app_id: str, secret: str) -> Any:
    return api.apps.WatchApp(app_service_pb2.WatchAppRequest(app_id=app_id), metadata=bearer(secret))


async def _ending(stream: Any) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await drained(stream)
    return Refusal.of(failed.value)


def _handlers() -> list[asyncio.Task[Any]]:
    """The tasks that serve a stream or watch a token."""
    return [task for task in asyncio.all_tasks() if "_ended" in repr(task) or "anext" in repr(task)]


async def test_a_watch_tells_each_state_until_the_app_is_gone(api: Api) -> None:
    """The present state first; the stream ends by itself after DELETING."""
    app = await api.running_app()
    stream = _watch(api, app.app_id, api.admin)
    assert (await stream.read()).status.state == app_pb2.APP_STATE_RUNNING
    await api.call(api.apps.StopApp, app_service_pb2.StopAppRequest(app_id=app.app_id))
    await api.world.in_state(app.app_id, AppState.STOPPED)
    seen: list[app_pb2.AppState.ValueType] = []
    while not seen or seen[-1] != app_pb2.APP_STATE_STOPPED:
        seen.append((await stream.read()).status.state)
    assert set(seen) <= {app_pb2.APP_STATE_STOPPING, app_pb2.APP_STATE_STOPPED}
    await api.call(api.apps.DeleteApp, app_service_pb2.DeleteAppRequest(app_id=app.app_id))
    while (last := await stream.read()) is not grpc.aio.EOF:
        assert last.status.state == app_pb2.APP_STATE_DELETING
    assert await stream.code() is grpc.StatusCode.OK
    assert dict(await stream.initial_metadata())["doorward-request-id"]


@pytest.mark.parametrize("follow", [False, True])
async def test_logs_are_streamed(api: Api, follow: bool) -> None:
    """The newest lines first of all, then, when asked to, what comes."""
    app = await api.running_app()
    request = app_service_pb2.ReadAppLogsRequest(app_id=app.app_id, tail_lines=2, follow=follow)
    stream: Any = api.apps.ReadAppLogs(request, metadata=bearer(api.admin))
    lines = [await stream.read() for _ in range(2)]
    assert [line.line for line in lines] == ["line 0", "line 1"]
    assert lines[0].stream == app_service_pb2.LOG_STREAM_STDOUT
    if follow:
        stream.cancel()
    else:
        assert await stream.read() is grpc.aio.EOF


@pytest.mark.parametrize("tail_lines", [-2, 10_001])
async def test_a_tail_that_cannot_be_is_refused(api: Api, tail_lines: int) -> None:
    """Before anything is streamed."""
    app = await api.running_app()
    request = app_service_pb2.ReadAppLogsRequest(app_id=app.app_id, tail_lines=tail_lines)
    refusal = await api.refused(api.apps.ReadAppLogs, request)
    assert set(refusal.violations) == {"tail_lines"}


async def test_logs_need_operator(api: Api) -> None:
    """What an app prints is not for those who use it."""
    app = await api.running_app()
    _, secret = await api.token(Role.READ_ONLY)
    request = app_service_pb2.ReadAppLogsRequest(app_id=app.app_id)
    refusal = await api.refused(api.apps.ReadAppLogs, request, token=secret)
    assert refusal.code is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("way", ["deleted", "regenerated", "expired"])
async def test_a_stream_ends_with_its_token(api: Api, way: str) -> None:
    """Whoever lost their token sees nothing more."""
    app = await api.running_app()
    token, secret = await api.token()
    if way == "expired":
        soon = Timestamp()
        soon.FromDatetime(api.world.clock() + timedelta(milliseconds=300))
        update = token_service_pb2.UpdateTokenRequest(
            token=token_pb2.Token(token_id=token.token_id, expire_time=soon)
        )
        await api.call(api.tokens.UpdateToken, update)
    stream = _watch(api, app.app_id, secret)
    assert (await stream.read()).status.state == app_pb2.APP_STATE_RUNNING
    if way == "deleted":
        delete = token_service_pb2.DeleteTokenRequest(token_id=token.token_id)
        await api.call(api.tokens.DeleteToken, delete)
    elif way == "regenerated":
        regenerate = token_service_pb2.RegenerateTokenRequest(token_id=token.token_id)
        await api.call(api.tokens.RegenerateToken, regenerate)
    else:
        api.world.clock.advance(seconds=1)
    refusal = await _ending(stream)
    assert refusal.code is grpc.StatusCode.UNAUTHENTICATED
    assert refusal.reason == "CREDENTIAL_INVALID"


async def test_a_stream_ends_when_its_app_leaves_the_scope(api: Api) -> None:
    """Relabelled, the app is none of the caller's."""
    app = await api.running_app(labels={"group": "A"})
    _, secret = await api.token(selector="group=A")
    stream = _watch(api, app.app_id, secret)
    await stream.read()
    relabel = app_service_pb2.UpdateAppRequest(app=app_pb2.App(app_id=app.app_id, labels={"group": "B"}))
    await api.call(api.apps.UpdateApp, relabel)
    assert await stream.read() is grpc.aio.EOF


async def test_a_caller_who_leaves_leaves_nothing_behind(api: Api) -> None:
    """No task goes on after a stream was cancelled or its deadline has passed."""
    app = await api.running_app()
    cancelled = _watch(api, app.app_id, api.admin)
    await cancelled.read()
    late = api.apps.WatchApp(
        app_service_pb2.WatchAppRequest(app_id=app.app_id), metadata=bearer(api.admin), timeout=0.3
    )
    await late.read()
    assert _handlers()
    cancelled.cancel()
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await late.read()
    assert failed.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED

    async def none_left() -> bool:
        return not _handlers()

    await eventually(none_left, what="every task of the streams is gone")


async def test_a_stop_ends_open_streams_at_once(api: Api) -> None:
    """They are told to call again; the server does not wait out its grace period."""
    app = await api.running_app()
    stream = _watch(api, app.app_id, api.admin)
    await stream.read()
    async with asyncio.timeout(10):
        await api.server.stop(60)
    refusal = await _ending(stream)
    assert refusal.code is grpc.StatusCode.UNAVAILABLE
    assert refusal.text == "the server is stopping: call again"
