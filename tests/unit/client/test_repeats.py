"""Which calls are repeated, when, and for how long."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

import doorward
from doorward._retries import DELAYS, Attempts, may_be_repeated
from doorward.v1 import (
    app_service_pb2,
    audit_service_pb2,
    replica_service_pb2,
    session_service_pb2,
    token_service_pb2,
)
from doorward.v1.app_service_pb2 import ReadAppLogsResponse
from tests.unit.client.fake_api import ADMIN_ID, FakeApi

APP_ID = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"
TOKEN_ID = ADMIN_ID

CALLS: dict[str, Callable[[doorward.Client], object]] = {
    "CreateApp": lambda c: c.apps.create("a", region="GRA", spec=doorward.external("127.0.0.1:1")),
    "GetApp": lambda c: c.apps.get(APP_ID),
    "ListApps": lambda c: list(c.apps.list()),
    "UpdateApp": lambda c: c.apps.update(APP_ID, display_name="x"),
    "StartApp": lambda c: c.apps.start(APP_ID),
    "StopApp": lambda c: c.apps.stop(APP_ID),
    "DeleteApp": lambda c: c.apps.delete(APP_ID),
    "WatchApp": lambda c: list(c.apps.watch(APP_ID)),
    "ReadAppLogs": lambda c: list(c.apps.logs(APP_ID)),
    "CreateToken": lambda c: c.tokens.create("a", role="admin"),
    "GetToken": lambda c: c.tokens.get(TOKEN_ID),
    "ListTokens": lambda c: list(c.tokens.list()),
    "UpdateToken": lambda c: c.tokens.update(TOKEN_ID, display_name="x"),
    "RegenerateToken": lambda c: c.tokens.regenerate(TOKEN_ID),
    "DeleteToken": lambda c: c.tokens.delete(TOKEN_ID),
    "PreviewSelector": lambda c: list(c.tokens.preview(selector="a")),
    "ExplainAccess": lambda c: c.tokens.explain(TOKEN_ID, APP_ID),
    "WhoAmI": lambda c: c.whoami(),
    "CreateSession": lambda c: c.sessions.create("app.example"),
    "DeleteSession": lambda c: c.sessions.delete("6a1d9a57-0c1e-4a0a-8f9b-b5d0e0c56f0f"),
    "ListAuditEvents": lambda c: list(c.audit.list()),
    "ListReplicas": lambda c: list(c.replicas.list()),
}
"""What makes a client call each RPC of the API."""

METHODS = {
    method.name: method
    for module in (
        app_service_pb2,
        audit_service_pb2,
        replica_service_pb2,
        session_service_pb2,
        token_service_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
"""Every RPC, as the protos describe it."""

ONCE = {"CreateSession", "RegenerateToken"}
"""Those that must not happen twice: each call makes another secret."""


def test_every_rpc_is_here() -> None:
    """The clients call every RPC of the API, and of every one it is known whether it may be repeated."""
    folder = Path(doorward.__file__).parent / "v1"
    services = {path.name for path in folder.glob("*_service_pb2.py")}
    assert services == {
        f"{Path(method.containing_service.file.name).stem}_pb2.py" for method in METHODS.values()
    }
    assert set(CALLS) == set(METHODS)
    assert {name for name, method in METHODS.items() if not may_be_repeated(method)} == ONCE


@pytest.mark.parametrize("rpc", CALLS)
def test_what_is_repeated_is_what_may_be(api: FakeApi, client: doorward.Client, rpc: str) -> None:
    """A call whose connection breaks is made again if the protos say that it may, and else never."""
    api.fail(rpc, grpc.StatusCode.UNAVAILABLE, "restarting")
    api.fail(rpc, grpc.StatusCode.UNAUTHENTICATED, "enough")
    error = doorward.Unavailable if rpc in ONCE else doorward.Unauthenticated
    with pytest.raises(error):
        CALLS[rpc](client)
    assert len(api.state.seen[rpc]) == 1 + (rpc not in ONCE)


@pytest.mark.parametrize("rpc", ["CreateToken", "WhoAmI", "RegenerateToken"])
def test_too_much_at_once(api: FakeApi, client: doorward.Client, rpc: str) -> None:
    """When the server says when to come back, a call that may be repeated is, and not before then."""
    wait = timedelta(seconds=0.3)
    api.fail(rpc, grpc.StatusCode.RESOURCE_EXHAUSTED, "busy", retry_after=wait)
    api.fail(rpc, grpc.StatusCode.UNAUTHENTICATED, "enough")
    begin = time.monotonic()
    with pytest.raises(doorward.ResourceExhausted if rpc in ONCE else doorward.Unauthenticated):
        CALLS[rpc](client)
    assert rpc in ONCE or time.monotonic() - begin >= wait.total_seconds()


def test_a_stream_is_not_repeated_once_it_has_begun(api: FakeApi, client: doorward.Client) -> None:
    """A stream that breaks off is its reader's to begin anew: nothing is answered twice."""
    api.state.lines.append(ReadAppLogsResponse(line="hello"))
    stream = client.apps.logs(APP_ID, follow=True)
    assert next(stream).line == "hello"
    api.stop()
    with pytest.raises((doorward.Unavailable, doorward.Cancelled)):
        next(stream)
    assert len(api.state.seen["ReadAppLogs"]) == 1


def test_an_unavailable_api_is_asked_again(api: FakeApi, client: doorward.Client) -> None:
    """A call that may happen twice outlives an api that is unavailable for a moment."""
    api.fail(
        "WhoAmI", grpc.StatusCode.UNAVAILABLE, "locked", reason="ERROR_REASON_STORAGE_UNAVAILABLE", times=2
    )
    assert client.whoami().display_name == "me"
    assert len(api.state.seen["WhoAmI"]) == 3


def test_it_is_not_asked_for_ever(api: FakeApi, client: doorward.Client) -> None:
    """After four repeats the error is the caller's."""
    api.fail("WhoAmI", grpc.StatusCode.UNAVAILABLE, "locked", times=100)
    with pytest.raises(doorward.Unavailable, match="locked"):
        client.whoami()
    assert len(api.state.seen["WhoAmI"]) == 1 + len(DELAYS)


@pytest.mark.parametrize(
    "code", [code for code in grpc.StatusCode if code.name not in {"OK", "UNAVAILABLE"}], ids=lambda c: c.name
)
def test_no_other_error_is_repeated(api: FakeApi, client: doorward.Client, code: grpc.StatusCode) -> None:
    """Only what may be better in a moment is tried again."""
    api.fail("WhoAmI", code)
    with pytest.raises(doorward.DoorwardError):
        client.whoami()
    assert len(api.state.seen["WhoAmI"]) == 1


def test_a_repeated_create_is_the_same_create(api: FakeApi, client: doorward.Client) -> None:
    """A create carries one request id through all its repeats, so it happens once."""
    api.fail("CreateApp", grpc.StatusCode.UNAVAILABLE, times=2)
    client.apps.create("a", region="GRA", spec=doorward.external("127.0.0.1:1"))
    ids = {seen.request.request_id for seen in api.state.seen["CreateApp"]}  # type: ignore[attr-defined]
    assert len(api.state.seen["CreateApp"]) == 3
    assert len(ids) == 1
    assert "" not in ids


def test_repeats_stay_within_the_deadline(api: FakeApi, client: doorward.Client) -> None:
    """A call with all its repeats takes no longer than its limit."""
    api.fail("WhoAmI", grpc.StatusCode.UNAVAILABLE, retry_after=timedelta(seconds=5))
    # Whoever waited for it nevertheless would be told that the time is over.
    with pytest.raises(doorward.Unavailable):
        client.whoami(timeout=1)
    assert len(api.state.seen["WhoAmI"]) == 1


def test_delays_have_jitter() -> None:
    """Clients that failed together do not come back together."""
    error = doorward.Unavailable("gone", code=grpc.StatusCode.UNAVAILABLE)
    attempts = [Attempts(token_service_pb2.WhoAmIRequest(), 60) for _ in range(2)]
    first, second = ([each.pause_after(error, error) for _ in DELAYS] for each in attempts)
    assert first != second
    assert all(0 <= pause <= delay for delay, pause in zip(DELAYS, first, strict=True))
