"""Where the token of a call comes from, when it may change."""

import time

import grpc
import pytest

import doorward
from tests.unit.client.both import Connect
from tests.unit.client.fake_api import FakeApi


def test_a_token_is_asked_for_before_each_attempt(api: FakeApi, connect: Connect) -> None:
    """A token that changes while a call is repeated is the new one from then on."""
    tokens = iter(["secret-1", "secret-2", "secret-3"])
    client = connect(api.address, token=lambda: next(tokens))
    api.fail("WhoAmI", grpc.StatusCode.UNAVAILABLE)
    client.whoami()
    client.whoami()
    sent = [seen.metadata["authorization"] for seen in api.state.seen["WhoAmI"]]
    assert sent == ["Bearer secret-1", "Bearer secret-2", "Bearer secret-3"]


def test_streams_ask_too(api: FakeApi, connect: Connect) -> None:
    """A stream carries the token that there is when it begins."""
    stream = connect(api.address, token=lambda: "secret-1").apps.logs("some-app")
    assert list(stream) == []
    assert api.seen("ReadAppLogs").metadata["authorization"] == "Bearer secret-1"


@pytest.mark.parametrize("wrong", ["", "a b", "secret\n", None, b"secret", 7])
def test_what_is_no_token(api: FakeApi, connect: Connect, wrong: object) -> None:
    """A source that gives something else is named, and what it gave is not shown; nothing is sent."""
    with pytest.raises(doorward.ConfigurationError, match="token") as caught:
        connect(api.address, token=lambda: wrong).whoami()
    assert "secret" not in str(caught.value)
    assert api.state.seen["WhoAmI"] == []


def test_a_source_that_fails(api: FakeApi, connect: Connect) -> None:
    """What a source raises is what the caller gets."""

    def source() -> str:
        raise LookupError("the vault is locked")

    with pytest.raises(LookupError, match="the vault is locked"):
        connect(api.address, token=source).whoami()


def test_a_coroutine_is_for_the_other_client(api: FakeApi) -> None:
    """A blocking client says that it cannot await; nothing else warns about it."""

    async def source() -> str:
        return "secret-1"

    with (
        doorward.Client(api.address, token=source) as client,  # type: ignore[arg-type]  # the point
        pytest.raises(doorward.ConfigurationError, match="use AsyncClient"),
    ):
        client.whoami()


def test_a_slow_source_uses_up_the_callers_time(api: FakeApi, connect: Connect) -> None:
    """The time that a source takes is part of the call's."""

    def source() -> str:
        time.sleep(0.2)  # what is being measured
        return "secret-1"

    connect(api.address, token=source).whoami(timeout=10)
    assert (api.seen("WhoAmI").seconds_left or 0) < 9.9


def test_a_source_is_hidden(connect: Connect) -> None:
    """A client that is printed shows nothing of where its token comes from."""
    client = connect("127.0.0.1:1", token=lambda: "secret-1")
    assert repr(client._calls._credential) == "<Credential hidden>"
