"""What the calls of a server come to."""

import asyncio
import uuid
from typing import Any

import grpc
import pytest

from doorward.v1.app_service_pb2 import GetAppRequest, ListAppsRequest, WatchAppRequest
from tests.integration.rpc.conftest import Api, bearer
from tests.support.waiting import eventually

SERVICE = "doorward.v1.AppService"


async def test_calls_are_counted_by_how_they_ended(api: Api) -> None:
    """By the status that callers see; those of callers without a token, too."""
    await api.call(api.apps.ListApps, ListAppsRequest())
    await api.call(api.apps.ListApps, ListAppsRequest())
    await api.refused(api.apps.ListApps, ListAppsRequest(page_size=-1))
    await api.refused(api.apps.ListApps, ListAppsRequest(), metadata=())
    await api.refused(api.apps.GetApp, GetAppRequest(app_id=str(uuid.uuid4())))
    ended = api.server.tally.ended
    assert dict(ended) == {
        (f"{SERVICE}/ListApps", "OK"): 2,
        (f"{SERVICE}/ListApps", "INVALID_ARGUMENT"): 1,
        (f"{SERVICE}/ListApps", "UNAUTHENTICATED"): 1,
        (f"{SERVICE}/GetApp", "NOT_FOUND"): 1,
    }
    assert {name: each.count for name, each in api.server.tally.durations.items()} == {
        f"{SERVICE}/ListApps": 4,
        f"{SERVICE}/GetApp": 1,
    }


async def test_methods_that_are_made_up_count_as_one(api: Api) -> None:
    """However many names callers think of, the metrics do not grow."""
    for number in range(5):
        method: Any = api.channel.unary_unary(f"/doorward.v1.AppService/Method{number}")
        with pytest.raises(grpc.aio.AioRpcError):
            await method(b"", metadata=bearer(api.admin))
    assert dict(api.server.tally.ended) == {("other", "UNIMPLEMENTED"): 5}


async def test_a_stream_is_counted_when_it_ends(api: Api) -> None:
    """Not while it is open; a caller that turns away has cancelled it."""
    app = await api.running_app()
    call = api.apps.WatchApp(WatchAppRequest(app_id=app.app_id), metadata=bearer(api.admin))
    await call.read()
    assert api.server.tally.ended == {}
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.read()

    async def counted() -> bool:
        return dict(api.server.tally.ended) == {(f"{SERVICE}/WatchApp", "CANCELLED"): 1}

    await eventually(counted, what="the stream is counted")
    assert api.server.tally.durations == {}
