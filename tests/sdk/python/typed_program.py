"""A program as users write it, for type checkers: it is checked, and never run."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import assert_type

import doorward
import doorward.testing
from doorward.v1.app_service_pb2 import GetAppRequest, ReadAppLogsResponse, WatchAppResponse
from doorward.v1.app_service_pb2_grpc import AppServiceStub


def blocking(client: doorward.Client) -> None:
    """What a blocking program does."""
    spec = doorward.process(["./hello", "--port={port}"], readiness=doorward.readiness("/health"))
    app = client.apps.create("hello", region="GRA", labels={"group": "A"}, spec=spec)
    assert_type(app, doorward.App)
    assert_type(app.status.url, str)
    assert_type(client.apps.wait(app.app_id, "running", timeout=timedelta(minutes=1)), doorward.AppStatus)
    for found in client.apps.list(
        selector="group=A", states=["running", doorward.AppState.APP_STATE_SCALING]
    ):
        assert_type(found, doorward.App)
    for page in client.apps.list().pages():
        assert_type(page.next_page_token, str)
    with client.apps.watch(app.app_id) as statuses:
        assert_type(next(statuses), WatchAppResponse)
    for line in client.apps.logs(app.app_id, follow=True):
        assert_type(line, ReadAppLogsResponse)
    assert_type(client.apps.update(app.app_id, display_name="x").policy_update, doorward.PolicyUpdate)
    assert_type(client.apps.delete(app.app_id).policy_update.revision, int)

    issued = client.tokens.create(
        "ci", role="read-only", region="GRA", selector="group=A", expires=timedelta(days=90)
    )
    assert_type(issued, doorward.IssuedToken)
    assert_type(issued.secret, str)
    assert_type(client.tokens.regenerate(issued.token.token_id), doorward.IssuedToken)
    assert_type(client.tokens.explain(issued.token.token_id, app.app_id).allowed, bool)
    for event in client.audit.list(start=datetime.now(UTC) - timedelta(days=1)):
        assert_type(event, doorward.AuditEvent)
    for replica in client.replicas.list():
        assert_type(replica, doorward.Replica)
    assert_type(client.whoami(), doorward.Token)
    AppServiceStub(client.channel).GetApp(GetAppRequest(app_id=app.app_id), metadata=client.metadata())


async def awaiting(client: doorward.AsyncClient) -> None:
    """The same on an event loop."""
    app = await client.apps.create("hello", region="GRA", spec=doorward.external("127.0.0.1:9000"))
    assert_type(app, doorward.App)
    async for found in client.apps.list():
        assert_type(found, doorward.App)
    async for page in client.tokens.list().pages():
        assert_type(page.next_page_token, str)
    async with client.apps.watch(app.app_id, timeout=5) as statuses:
        async for answer in statuses:
            assert_type(answer, WatchAppResponse)
    issued, me = await asyncio.gather(client.tokens.create("root", role="admin"), client.whoami())
    assert_type(issued, doorward.IssuedToken)
    assert_type(me, doorward.Token)


async def made_in_every_way(source: Awaitable[str]) -> None:
    """How clients are made, and what goes wrong."""

    async def fetch() -> str:
        return await source

    with doorward.Client.from_env(profile="production", timeout=10) as client:
        assert_type(client, doorward.Client)
    async with doorward.AsyncClient.from_env() as awaited:
        assert_type(awaited, doorward.AsyncClient)
    doorward.Client("api.example.com:443", token=lambda: "secret", tls=doorward.TLS(ca_file="ca.pem")).close()
    other = doorward.AsyncClient("[::1]:8081", token=fetch, options={"grpc.keepalive_time_ms": 60_000})
    try:
        await other.whoami()
    except doorward.NotFound as error:
        assert_type(error.reason, str)
        assert_type(error.retry_after, timedelta | None)
        assert_type([violation.field for violation in error.field_violations], list[str])
    finally:
        await other.close()
    with doorward.testing.server() as server:
        assert_type(server.check(server.app(), token=server.admin_token).allowed, bool)


def wrong(client: doorward.Client, awaited: doorward.AsyncClient) -> None:
    """Mistakes, each of which must be found."""
    client.apps.create("hello", regoin="GRA", spec=doorward.external("127.0.0.1:1"))  # type: ignore[call-arg]
    client.apps.get(7)  # type: ignore[arg-type]
    client.tokens.create("x", role=3.5)  # type: ignore[arg-type]
    _ = client.apps.list().items  # type: ignore[attr-defined]
    _ = awaited.whoami().token_id  # type: ignore[attr-defined]
    doorward.Client("a:1", token=len)  # type: ignore[arg-type]
    doorward.Client("a:1", tls=True)  # type: ignore[arg-type]
