"""An app that speaks gRPC, behind Envoy."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import grpc
import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.grpc_app import FAIL, STREAM, UNARY, GrpcApp
from tests.e2e.support.raw_http import TIMEOUT
from tests.e2e.support.stack import FakeStack, Published, Stack, fake_stack


@pytest.fixture
def grpc_app() -> Iterator[GrpcApp]:
    """An app that echoes over gRPC."""
    with GrpcApp() as app:
        yield app


@contextmanager
def channel_to(published: Published) -> Iterator[Any]:
    """A gRPC channel to an app's host, for calls of bytes."""
    host, port = published.address
    options = [("grpc.default_authority", published.host), ("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(f"{host}:{port}", options=options) as channel:
        yield channel


def credential(published: Published) -> tuple[tuple[str, str], ...]:
    """The credential as metadata, and a forged identity."""
    return (("authorization", published.credential["Authorization"]), ("x-doorward-role", "ADMIN"))


def test_unary_calls_pass_with_trailers(stack: Stack, grpc_app: GrpcApp) -> None:
    """Bytes, metadata and trailers of a call pass, and the identity is Doorward's."""
    published = stack.publish("127.0.0.1", grpc_app.port)
    with channel_to(published) as channel:
        answer, call = channel.unary_unary(UNARY).with_call(
            b"\x00bytes\xff", metadata=credential(published), timeout=TIMEOUT
        )
    assert answer == b"\x00bytes\xff"
    assert ("x-trailer", "from the app") in [tuple(item) for item in call.trailing_metadata()]
    assert grpc_app.metadata[0]["x-doorward-role"] == "READ_ONLY"
    assert "authorization" not in grpc_app.metadata[0]


def test_an_apps_status_passes(stack: Stack, grpc_app: GrpcApp) -> None:
    """An error of the app is the app's to word."""
    published = stack.publish("127.0.0.1", grpc_app.port)
    with channel_to(published) as channel, pytest.raises(grpc.RpcError) as error:
        channel.unary_unary(FAIL)(b"", metadata=credential(published), timeout=TIMEOUT)
    assert error.value.code() is grpc.StatusCode.DATA_LOSS
    assert error.value.details() == "the app's own error"


def test_streams_pass_message_by_message(stack: Stack, grpc_app: GrpcApp) -> None:
    """Each message is answered before the next one is sent."""
    published = stack.publish("127.0.0.1", grpc_app.port)
    to_send: SimpleQueue[bytes | None] = SimpleQueue()
    with channel_to(published) as channel:
        answers = channel.stream_stream(STREAM)(
            iter(to_send.get, None), metadata=credential(published), timeout=TIMEOUT
        )
        for number in range(20):
            to_send.put(b"%d" % number)
            assert next(answers) == b"%d" % number
        to_send.put(None)
        assert list(answers) == []


def test_without_a_token_a_call_is_unauthenticated(stack: Stack, grpc_app: GrpcApp) -> None:
    """A gRPC client gets a gRPC status."""
    published = stack.publish("127.0.0.1", grpc_app.port)
    with channel_to(published) as channel, pytest.raises(grpc.RpcError) as error:
        channel.unary_unary(UNARY)(b"", timeout=TIMEOUT)
    assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert grpc_app.metadata == []


def test_an_app_that_is_gone_is_unavailable(glass: FakeStack, app: RecordingApp) -> None:
    """A gRPC client is told in plain words, and no address."""
    app.close()
    published = glass.publish("127.0.0.1", app.port)
    with channel_to(published) as channel, pytest.raises(grpc.RpcError) as error:
        channel.unary_unary(UNARY)(b"", metadata=credential(published), timeout=TIMEOUT)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    assert error.value.details() == "The service behind this address does not answer."


def test_without_check_a_call_is_unavailable(grpc_app: GrpcApp) -> None:
    """Plain words for gRPC here, too."""
    with fake_stack() as stack:
        published = stack.publish("127.0.0.1", grpc_app.port)
        stack.checks[0].close()
        with channel_to(published) as channel, pytest.raises(grpc.RpcError) as error:
            channel.unary_unary(UNARY)(b"", metadata=credential(published), timeout=TIMEOUT)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    assert error.value.details() == "The access check does not answer. Try again in a moment."
    assert grpc_app.metadata == []


@pytest.mark.parametrize(
    "content_type", ["application/grpc-web", "application/grpc-web+proto", "application/json"]
)
def test_what_is_not_grpc_goes_to_the_app_over_http_1(
    published: Published, app: RecordingApp, content_type: str
) -> None:
    """gRPC-Web and Connect belong to the app: they are not translated."""
    assert published.send("POST", "/a.B/C", headers=[("Content-Type", content_type)], body=b"x").status == 200
    assert app.last.all("content-type") == [content_type]
    assert app.last.body == b"x"
