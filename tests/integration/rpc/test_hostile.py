"""Requests that nobody sends by accident. Here the database matters: each has texts that it cannot keep."""

from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.rpc.conftest import Api, Refusal, bearer
from tests.integration.rpc.test_calls import path_of, public_methods
from tests.support.databases import database_url
from tests.support.messages import messages

__all__ = ["database_url"]

NEVER = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAUTHENTICATED}
WORDS = (
    "GRA",
    "group=A",
    "group in (A,B),!x",
    "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11",
    "0123456789ab",
    "127.0.0.1:9",
    "[::1]:80",
    "display_name",
    "labels",
    "spec",
    "spec.process",
    "expire_time",
    "*",
    "/admin",
    "/srv",
    "DeleteToken",
    "ovh/id",
    "A",
)


async def outcome(api: Api, method: MethodDescriptor, request: bytes) -> grpc.StatusCode:
    """How a call ends; a stream is left after its first message. Checks that an error says what it is."""
    path, metadata = path_of(method), bearer(api.admin)
    # Bytes both ways; the types of a channel know messages alone.
    channel: Any = api.channel
    try:
        if method.server_streaming:
            stream = channel.unary_stream(path)(request, metadata=metadata, timeout=20)
            await stream.read()
            stream.cancel()
        else:
            await channel.unary_unary(path)(request, metadata=metadata, timeout=20)
    except grpc.aio.AioRpcError as error:
        return Refusal.of(error).code
    return grpc.StatusCode.OK


@pytest.fixture
async def words(api: Api) -> tuple[str, ...]:
    """Texts that mean something, the ids of an app and of a token among them."""
    app = await api.running_app(labels={"group": "A"})
    token, _ = await api.token()
    return (*WORDS, app.app_id, token.token_id)


@pytest.mark.parametrize("method", public_methods(), ids=lambda method: method.name)
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_no_request_is_a_defect(
    api: Api, words: tuple[str, ...], method: MethodDescriptor, data: st.DataObject
) -> None:
    """Whatever the fields hold, the caller is answered, or told what is wrong with them."""
    request = data.draw(messages(method.input_type, words))
    assert await outcome(api, method, request.SerializeToString()) not in NEVER


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(method=st.sampled_from(public_methods()), request_=st.binary(max_size=200))
async def test_no_bytes_are_a_defect(api: Api, method: MethodDescriptor, request_: bytes) -> None:
    """Bytes that happen to parse are a request, and others are refused."""
    assert await outcome(api, method, request_) not in NEVER
