"""How calls are made: what goes along with them, and how long they may take."""

from datetime import timedelta
from typing import Any

import grpc
import pytest

import doorward
from tests.unit.client.both import Connect
from tests.unit.client.fake_api import FakeApi

ADDRESS = "127.0.0.1:1"
APP_ID = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"


def test_the_token_goes_along(api: FakeApi, client: doorward.Client, token: str) -> None:
    """Every call carries the token as a bearer credential."""
    client.whoami()
    assert api.seen("WhoAmI").metadata["authorization"] == f"Bearer {token}"


def test_without_a_token(api: FakeApi, connect: Connect) -> None:
    """A client without a token sends no credential at all."""
    connect(api.address).whoami()
    assert "authorization" not in api.seen("WhoAmI").metadata


@pytest.mark.parametrize("wrong", ["", " ", "a b", "a\n", "a\r\nb: c", "é", "a\x00"])
def test_a_token_that_cannot_be_sent(connect: Connect, wrong: str) -> None:
    """Text that no header can carry is refused without being shown."""
    with pytest.raises(
        doorward.ConfigurationError, match="the token has characters that no token has"
    ) as caught:
        connect(ADDRESS, token=wrong)
    assert repr(wrong) not in str(caught.value)


def test_a_client_hides_its_token(client: doorward.Client, token: str) -> None:
    """A client that is printed, parts included, does not show its token."""
    assert repr(client) in {f"<Client {client._calls.address}>", f"<AsyncClient {client._calls.address}>"}
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


def test_the_deadlines_of_a_client(api: FakeApi, connect: Connect) -> None:
    """A client can be given other limits for all its calls."""
    client = connect(api.address, timeout=9, enforcement_timeout=timedelta(seconds=90))
    client.whoami()
    with pytest.raises(doorward.NotFound):
        client.apps.stop(APP_ID)
    assert 4 < (api.seen("WhoAmI").seconds_left or 0) < 10
    assert 80 < (api.seen("StopApp").seconds_left or 0) < 91


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), timedelta(0)])
def test_limits_that_are_none(client: doorward.Client, connect: Connect, limit: float | timedelta) -> None:
    """A time limit that would never end a call, or end it before it begins, is refused."""
    with pytest.raises(ValueError, match="a time limit must be positive and finite"):
        client.whoami(timeout=limit)
    with pytest.raises(ValueError, match="a time limit must be positive and finite"):
        connect(ADDRESS, timeout=limit)
