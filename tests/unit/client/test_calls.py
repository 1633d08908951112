"""How calls are made: credential, deadline, repeats, the end of the client."""

import gc
from datetime import timedelta
from typing import Any

import grpc
import pytest

import doorward
from doorward._retries import DELAYS, delays, may_be_repeated
from doorward.v1 import app_service_pb2, token_service_pb2
from tests.unit.client.fake_api import FakeApi, mint

ADDRESS = "127.0.0.1:1"
APP_ID = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"


def test_the_token_goes_along(api: FakeApi, client: doorward.Client, token: str) -> None:
    """Every call carries the token as a bearer credential."""
    client.whoami()
    assert api.seen("WhoAmI").metadata["authorization"] == f"Bearer {token}"


def test_without_a_token(api: FakeApi) -> None:
    """A client without a token sends no credential at all."""
    with doorward.Client(api.address) as client:
        client.whoami()
    assert "authorization" not in api.seen("WhoAmI").metadata


@pytest.mark.parametrize("wrong", ["", " ", "a b", "a\n", "a\r\nb: c", "é", "a\x00"])
def test_a_token_that_cannot_be_sent(wrong: str) -> None:
    """Text that no header can carry is refused without being shown."""
    with pytest.raises(
        doorward.ConfigurationError, match="the token has characters that no token has"
    ) as caught:
        doorward.Client(ADDRESS, token=wrong)
    assert repr(wrong) not in str(caught.value)


def test_a_client_hides_its_token(client: doorward.Client, token: str) -> None:
    """A client that is printed, parts included, does not show its token."""
    assert repr(client) == f"<Client {client._calls.address}>"
    assert token not in f"{client._calls._credential!r}{client.apps!r}"


@pytest.mark.parametrize(
    ("call", "rpc", "limit"),
    [
        (lambda client: client.whoami(), "WhoAmI", 30),
        (lambda client: client.apps.get(APP_ID), "GetApp", 30),
        (lambda client: next(client.apps.logs(APP_ID)), "ReadAppLogs", 30),
        (lambda client: client.apps.start(APP_ID), "StartApp", 30),
        (lambda client: client.apps.stop(APP_ID), "StopApp", 60),
        (lambda client: client.apps.delete(APP_ID), "DeleteApp", 60),
        (lambda client: client.apps.update(APP_ID, display_name="x"), "UpdateApp", 60),
        (lambda client: client.tokens.update(APP_ID, display_name="x"), "UpdateToken", 60),
        (lambda client: client.tokens.regenerate(APP_ID), "RegenerateToken", 60),
        (lambda client: client.tokens.delete(APP_ID), "DeleteToken", 60),
        (lambda client: client.tokens.delete(APP_ID, timeout=5), "DeleteToken", 5),
        (lambda client: client.whoami(timeout=timedelta(seconds=7)), "WhoAmI", 7),
    ],
)
def test_every_call_has_a_deadline(
    api: FakeApi, client: doorward.Client, call: Any, rpc: str, limit: float
) -> None:
    """Calls have 30 s, those that wait for replicas 60 s, and one can be given another limit."""
    api.fail(rpc, grpc.StatusCode.NOT_FOUND)
    with pytest.raises(doorward.NotFound) if rpc != "WhoAmI" else pytest.raises(doorward.DoorwardError):
        call(client)
    left = api.seen(rpc).seconds_left
    assert left is not None
    assert limit - 4 < left < limit + 1  # gRPC rounds up


def test_the_deadlines_of_a_client(api: FakeApi) -> None:
    """A client can be given other limits for all its calls."""
    with doorward.Client(api.address, timeout=9, enforcement_timeout=timedelta(seconds=90)) as client:
        client.whoami()
        with pytest.raises(doorward.NotFound):
            client.apps.stop(APP_ID)
    assert 4 < (api.seen("WhoAmI").seconds_left or 0) < 10
    assert 80 < (api.seen("StopApp").seconds_left or 0) < 91


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), timedelta(0)])
def test_limits_that_are_none(client: doorward.Client, limit: float | timedelta) -> None:
    """A time limit that would never end a call, or end it before it begins, is refused."""
    with pytest.raises(ValueError, match="a time limit must be positive and finite"):
        client.whoami(timeout=limit)
    with pytest.raises(ValueError, match="a time limit must be positive and finite"):
        doorward.Client(ADDRESS, timeout=limit)


REPEATED = {
    *("CreateApp", "GetApp", "ListApps", "UpdateApp", "StartApp", "StopApp", "DeleteApp", "WatchApp"),
    *("ReadAppLogs", "CreateToken", "GetToken", "ListTokens", "UpdateToken", "DeleteToken"),
    *("PreviewSelector", "ExplainAccess", "WhoAmI"),
}


def test_which_calls_may_be_repeated() -> None:
    """Reads, idempotent calls and creates with a request id may happen twice; a regeneration may not."""
    methods = {
        method.name: may_be_repeated(method)
        for module in (app_service_pb2, token_service_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert methods == {name: name in REPEATED for name in {*REPEATED, "RegenerateToken"}}


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


def test_a_regeneration_is_never_repeated(api: FakeApi, client: doorward.Client) -> None:
    """A call that makes a secret is made once, whatever becomes of it."""
    api.fail("RegenerateToken", grpc.StatusCode.UNAVAILABLE, "locked")
    with pytest.raises(doorward.Unavailable):
        client.tokens.regenerate("1B2m9cQk0XyZ")
    assert len(api.state.seen["RegenerateToken"]) == 1


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
    first, second = (list(delays(token_service_pb2.WhoAmIRequest())) for _ in range(2))
    assert first != second
    assert all(0.5 * d <= f <= 1.5 * d for d, f in zip(DELAYS, first, strict=True))


def test_a_closed_client_makes_no_call(api: FakeApi) -> None:
    """After close, which may be repeated, every call says so."""
    client = doorward.Client(api.address)
    client.close()
    client.close()
    for call in (client.whoami, lambda: client.apps.watch(APP_ID)):
        with pytest.raises(RuntimeError, match="the client is closed"):
            call()


def test_a_forgotten_client_warns() -> None:
    """A client that is never closed warns when it goes, and shows no token."""
    clients = [doorward.Client(ADDRESS, token=mint("1B2m9cQk0XyZ"))]
    with pytest.warns(ResourceWarning, match=rf"^unclosed <Client {ADDRESS}>$"):
        clients.clear()


def test_a_client_that_was_refused_does_not_warn() -> None:
    """A client that could not be made has nothing to close."""
    with pytest.raises(doorward.ConfigurationError):
        doorward.Client("nowhere")
    gc.collect()


def test_closing_ends_streams(api: FakeApi) -> None:
    """A stream that goes on ends when its client is closed."""
    with doorward.Client(api.address) as client:
        stream = client.apps.logs(APP_ID, follow=True)
    with pytest.raises(doorward.Cancelled):
        next(stream)
