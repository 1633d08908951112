"""What every call passes through."""

import logging
import re
from typing import Any
from uuid import UUID

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor

from doorward.v1 import token_service_pb2
from doorward_server.rpc.authentication import UnguardedMethodError, is_exempt
from doorward_server.rpc.server import SERVICES
from doorward_server.services.calls import REQUIRED_ROLES
from tests.integration.rpc.conftest import Api, bearer

WHO_AM_I = token_service_pb2.WhoAmIRequest()


def public_methods() -> list[MethodDescriptor]:
    """Every RPC of the public API."""
    services = [descriptor_pool.Default().FindServiceByName(name) for name in SERVICES]
    return [
        method for service in services if service.file.package == "doorward.v1" for method in service.methods
    ]


def path_of(method: MethodDescriptor) -> str:
    """The method as a call names it."""
    return f"/{method.containing_service.full_name}/{method.name}"


def raw_call(api: Api, method: MethodDescriptor | str) -> Any:
    """What calls a method with bytes as they are."""
    path, streaming = (
        (method, False) if isinstance(method, str) else (path_of(method), method.server_streaming)
    )
    return api.channel.unary_stream(path) if streaming else api.channel.unary_unary(path)


def test_every_public_rpc_has_a_role_and_nothing_else_is_let_through() -> None:
    """The table of roles has every RPC of the descriptors, and the guard's table no public service."""
    methods = public_methods()
    assert {method.name for method in methods} == set(REQUIRED_ROLES)
    assert len(methods) == len(REQUIRED_ROLES), "a name is there twice: it would share its role"
    assert not any(is_exempt(path_of(method)) for method in methods)


@pytest.mark.parametrize(
    "method",
    [
        "/doorward.v1.AppService/Forgotten",
        "/doorward.v2.AppService/GetApp",
        "/doorward.policy.v1.Other/GetApp",
        "GetApp",
        "",
    ],
)
def test_a_method_that_nobody_thought_of_is_refused(method: str) -> None:
    """It fails closed."""
    with pytest.raises(UnguardedMethodError):
        is_exempt(method)


@pytest.mark.parametrize("method", public_methods(), ids=lambda method: method.name)
async def test_strangers_learn_nothing_from_any_rpc(api: Api, method: MethodDescriptor) -> None:
    """Whoever has no token is told so, also with a request that does not parse."""
    for payload in (b"", b"\xff\xff\xff", b"\x0a\x05hello"):
        refusal = await api.refused(raw_call(api, method), payload, metadata=())
        assert refusal.code is grpc.StatusCode.UNAUTHENTICATED
        assert refusal.reason == "CREDENTIAL_MISSING"


@pytest.mark.parametrize("method", public_methods(), ids=lambda method: method.name)
async def test_bytes_that_are_no_request_are_refused(api: Api, method: MethodDescriptor) -> None:
    """As what they are, and not as a defect of the server."""
    for payload in (b"\xff\xff\xff", b"\x0a\xff"):
        refusal = await api.refused(raw_call(api, method), payload)
        assert refusal.code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED)


async def test_a_method_that_is_not_there_is_not_implemented(api: Api) -> None:
    """Named in the error, with no token asked for."""
    refusal = await api.refused(raw_call(api, "/doorward.v1.AppService/Fly"), b"", metadata=())
    assert refusal.code is grpc.StatusCode.UNIMPLEMENTED
    assert refusal.reason == "NOT_IMPLEMENTED"
    assert refusal.metadata == {"method": "/doorward.v1.AppService/Fly"}


async def test_a_credential_in_two_places_is_told(api: Api) -> None:
    """Either header will do, one of them twice will not."""
    own = (("doorward-token", api.admin),)
    await api.tokens.WhoAmI(WHO_AM_I, metadata=own)
    refusal = await api.refused(api.tokens.WhoAmI, WHO_AM_I, metadata=(*own, *own))
    assert refusal.reason == "CREDENTIAL_MALFORMED"
    other_system = (("authorization", "Bearer eyJhbGciOi"),)
    refusal = await api.refused(api.tokens.WhoAmI, WHO_AM_I, metadata=other_system)
    assert refusal.reason == "CREDENTIAL_MALFORMED"


async def test_too_long_a_request_is_refused(api: Api) -> None:
    """Before it is read into memory."""
    request = token_service_pb2.GetTokenRequest(token_id="x" * (1 << 20))
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await api.tokens.GetToken(request, metadata=bearer(api.admin))
    assert failed.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_too_much_metadata_is_refused(api: Api) -> None:
    """Callers cannot fill the server's memory with it, and others are served on."""
    metadata = (*bearer(api.admin), ("x-filler", "x" * (64 << 10)))
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await api.tokens.WhoAmI(WHO_AM_I, metadata=metadata)
    assert failed.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    await api.call(api.tokens.WhoAmI, WHO_AM_I)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("b5d0e0c5-3c0e-4a0a-8f9b-6f0f6a1d9a57", True),
        ("4bf92f3577b34da6a3ce929d0e0e4736", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("-", False),
        ("a b", False),
        ("under_score", False),
    ],
)
async def test_a_request_id_is_taken_when_it_is_sane(api: Api, sent: str, kept: bool) -> None:
    """Else there is a fresh one; the answer has it either way."""
    running = api.tokens.WhoAmI(WHO_AM_I, metadata=(*bearer(api.admin), ("doorward-request-id", sent)))
    await running
    answered = dict(await running.initial_metadata())["doorward-request-id"]
    if kept:
        assert answered == sent
    else:
        UUID(str(answered))


async def test_a_call_is_logged_in_one_line(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Method, outcome, duration, token and request, on success and on failure."""
    caplog.set_level(logging.INFO, "doorward_server.rpc")
    me = (await api.call(api.tokens.WhoAmI, WHO_AM_I)).token
    refusal = await api.refused(api.tokens.WhoAmI, WHO_AM_I, metadata=())
    lines = [record.getMessage() for record in caplog.records if "WhoAmI" in record.getMessage()]
    assert len(lines) == 2
    method = r"/doorward\.v1\.TokenService/WhoAmI"
    assert re.fullmatch(rf"{method} OK \d+\.\d ms token={me.token_id} request=[-0-9a-f]{{36}}", lines[0])
    request_id = refusal.sent_metadata["doorward-request-id"]
    assert re.fullmatch(rf"{method} UNAUTHENTICATED \d+\.\d ms token=- request={request_id!s}", lines[1])


async def test_text_that_is_not_utf8_is_refused(api: Api) -> None:
    """Before anybody looks for an app of that name."""
    method = raw_call(api, "/doorward.v1.AppService/GetApp")
    refusal = await api.refused(method, b"\x0a\x02\xc3\x28")
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
