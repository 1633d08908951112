"""Streams that are refused or ended, and what is told of why; and what neither end tells anybody."""

import logging
import uuid

import grpc
import pytest

from doorward_server.domain.apps import AppSpec
from doorward_server.domain.credentials import PlatformKey
from doorward_server.policy.v1 import policy_pb2
from doorward_server.rpc import policy_stream
from doorward_server.storage import SqlStorage
from tests.integration.policy_stream.changes import put_token, with_secret
from tests.integration.storage.samples import app, token
from tests.support.policy import PolicyApi
from tests.support.waiting import eventually


@pytest.mark.parametrize("presented", ["", "00" * 32, "not hexadecimal"])
async def test_without_the_stream_key_there_is_no_stream(api: PolicyApi, presented: str) -> None:
    """A peer that does not have the platform key is told nothing, and what is wrong."""
    async with api.running(), api.raw(stream_key=presented) as stream:
        code, text = await stream.ending()
        assert code is grpc.StatusCode.UNAUTHENTICATED
        assert "same platform key" in text


@pytest.mark.parametrize(
    ("hello", "names"),
    [
        (None, "hello: the first message"),
        (policy_pb2.Hello(replica_id="1"), "hello.replica_id: must be a UUID"),
        (policy_pb2.Hello(replica_id=str(uuid.uuid4()), region="Mars"), "hello.region: 'Mars' is not one of"),
        (
            policy_pb2.Hello(replica_id=str(uuid.uuid4()), display_name="a\nb"),
            "hello.display_name: must have printable characters",
        ),
    ],
)
async def test_a_hello_that_is_none_is_refused(
    api: PolicyApi, hello: policy_pb2.Hello | None, names: str
) -> None:
    """A stream that does not begin as it should ends with what is wrong."""
    async with api.running(), api.raw() as stream:
        await stream.send(hello=hello)
        code, text = await stream.ending()
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert names in text


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ({"hello": policy_pb2.Hello(replica_id=str(uuid.uuid4()))}, "only the first message"),
        ({"sequence": 7}, "message 7 came after message 1"),
        ({"applied_revision": 9}, "revision 9 was acknowledged before it was sent"),
        ({"applied_revision": -1}, "revision -1 was acknowledged after 0"),
        ({"token_uses": [policy_pb2.TokenUse()]}, "token_uses: must be 12 letters"),
    ],
)
async def test_a_message_that_contradicts_the_stream_ends_it(
    api: PolicyApi, message: dict[str, object], names: str
) -> None:
    """What a replica says must fit to the stream, or the stream ends."""
    async with api.running(), api.raw() as stream:
        await stream.hello()
        await stream.read_until_answered()
        await stream.send(**message)  # type: ignore[arg-type]
        code, text = await stream.ending()
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert names in text


async def test_a_replica_that_does_not_read_is_let_go(
    storage: SqlStorage,
    api: PolicyApi,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A slow replica neither piles up messages nor keeps a view of the database open for ever."""
    monkeypatch.setattr(policy_stream, "_STALL_SECONDS", 0.2)
    # More than gRPC itself takes before it makes a writer wait.
    long = AppSpec(source=app().spec.source, operator_paths=("/" + "x" * 200_000,))
    async with storage.write() as unit:
        for _ in range(60):
            await unit.apps.add(app(spec=long))
        await unit.policy.app_changed(app().app_id)
    async with api.running(), api.raw() as stream:
        await stream.hello()

        async def ended() -> bool:
            return f"{stream.replica_id} has disconnected" in caplog.text

        caplog.set_level(logging.INFO)
        await eventually(ended, what="the stream ends")
        # Whoever reads on learns why.
        assert await stream.ending() == (grpc.StatusCode.DEADLINE_EXCEEDED, "the replica does not read")


async def test_no_secret_is_in_the_log(
    storage: SqlStorage, api: PolicyApi, key: PlatformKey, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither end writes keys, MACs or secrets into its log, whatever happens."""
    caplog.set_level(logging.DEBUG)
    entry, secret = with_secret(key, token())
    await put_token(storage, entry)
    async with api.running(), api.replica() as replica:
        await replica.fresh()
    async with api.running(), api.raw(stream_key="00" * 32) as stream:
        await stream.ending()
    assert "Following the policy" in caplog.text
    mac = entry.generations[0].mac
    hidden = (secret.reveal(), key.stream_key().hex(), key.material.hex(), mac.hex(), repr(mac), "00" * 32)
    assert not [each for each in hidden if each in caplog.text]
