"""Where api listens, how it is watched, and how it stops."""

import asyncio
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from doorward.v1 import app_service_pb2, token_service_pb2, token_service_pb2_grpc
from doorward_server.domain.apps import AppState
from doorward_server.domain.ids import Revision
from doorward_server.domain.roles import Role
from doorward_server.policy.v1 import policy_pb2, policy_pb2_grpc
from doorward_server.rpc.listening import ListenError, Listening
from doorward_server.rpc.server import SERVICES, ApiServer
from doorward_server.rpc.tls import TlsFiles
from doorward_server.services.propagation import Enforcement
from tests.integration.rpc.conftest import Api, Refusal, bearer, drained, server_for
from tests.integration.services.conftest import World
from tests.support.certificates import self_signed
from tests.support.waiting import eventually

WHO_AM_I = token_service_pb2.WhoAmIRequest()


@asynccontextmanager
async def listening(world: World, where: Listening) -> AsyncIterator[ApiServer]:
    """Serve *world* there."""
    server = server_for(world, where)
    await server.start()
    try:
        yield server
    finally:
        await server.stop(0)


async def refusal_to_start(world: World, where: Listening) -> str:
    """Why a server does not start there."""
    server = server_for(world, where)
    with pytest.raises(ListenError) as refused:
        await server.start()
    await server.stop(0)
    return str(refused.value)


async def answers(channel: grpc.aio.Channel, world: World) -> bool:
    """Whether a token of *world* gets an answer over *channel*."""
    _, secret = await world.token("caller", role=Role.ADMIN)
    stub = token_service_pb2_grpc.TokenServiceStub(channel)
    response = await stub.WhoAmI(WHO_AM_I, metadata=bearer(secret.reveal()), timeout=10)
    return response.token.display_name == "caller"


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        pytest.param("::1", marks=pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")),
    ],
)
async def test_it_listens_on_a_free_port(world: World, address: str) -> None:
    """Port 0 takes one, which the server tells."""
    async with listening(world, Listening(address=address, port=0)) as server:
        assert server.port
        host = f"[{address}]" if ":" in address else address
        async with grpc.aio.insecure_channel(f"{host}:{server.port}") as channel:
            assert await answers(channel, world)


async def test_it_listens_on_a_socket_of_its_owner_alone(world: World, tmp_path: Path) -> None:
    """Beside the port; the file is gone afterwards."""
    path = tmp_path / "api #1%.sock"
    async with listening(world, Listening(port=0, unix_socket=path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        link = tmp_path / "link.sock"
        link.symlink_to(path)
        async with grpc.aio.insecure_channel(f"unix:{link}") as channel:
            assert await answers(channel, world)
    assert not path.exists()


async def test_a_socket_that_nobody_serves_is_replaced(world: World, tmp_path: Path) -> None:
    """A server that was killed leaves its file behind."""
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(path))
    async with (
        listening(world, Listening(unix_socket=path)) as server,
        grpc.aio.insecure_channel(f"unix:{path}") as channel,
    ):
        assert server.port is None
        assert await answers(channel, world)


async def test_a_socket_in_use_is_left_alone(world: World, tmp_path: Path) -> None:
    """The second server says so, and the first one serves on."""
    path = tmp_path / "api.sock"
    async with listening(world, Listening(unix_socket=path)):
        assert await refusal_to_start(world, Listening(port=0, unix_socket=path)) == (
            f"another server listens on {path}"
        )
        async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
            assert await answers(channel, world)


async def test_what_is_no_socket_is_left_alone(world: World, tmp_path: Path) -> None:
    """Somebody's file is not ours to remove."""
    path = tmp_path / "notes.txt"
    path.write_text("precious")
    assert "is not a socket" in await refusal_to_start(world, Listening(unix_socket=path))
    assert path.read_text() == "precious"


async def test_a_socket_where_none_can_be_is_refused(world: World, tmp_path: Path) -> None:
    """With the reason."""
    missing = tmp_path / "missing" / "api.sock"
    assert "is its folder there" in await refusal_to_start(world, Listening(unix_socket=missing))
    long = tmp_path / ("x" * 120)
    assert "more than 10" in await refusal_to_start(world, Listening(unix_socket=long))


async def test_a_port_in_use_is_told(world: World) -> None:
    """And not shared: half of the calls would go to the other server."""
    async with listening(world, Listening(port=0)) as server:
        text = await refusal_to_start(world, Listening(port=server.port))
    assert text == f"cannot listen on 127.0.0.1:{server.port}: the port is in use by another program"


@pytest.mark.parametrize(
    ("address", "rule"),
    [("localhost", "is not an IP address"), ("192.0.2.1", "Cannot assign requested address")],
)
async def test_an_address_that_is_not_ours_is_told(world: World, address: str, rule: str) -> None:
    """With what the system says."""
    assert rule in await refusal_to_start(world, Listening(address=address, port=0))


async def test_with_a_certificate_it_speaks_tls_alone(world: World, tmp_path: Path) -> None:
    """Callers who trust it are served, plain text is not."""
    made = self_signed("localhost", "127.0.0.1")
    certificate, private_key = made.write(tmp_path)
    tls = TlsFiles(certificate=certificate, private_key=private_key)
    async with listening(world, Listening(port=0, tls=tls)) as server:
        target = f"localhost:{server.port}"
        credentials = grpc.ssl_channel_credentials(made.certificate)
        async with grpc.aio.secure_channel(target, credentials) as channel:
            assert await answers(channel, world)
        async with grpc.aio.insecure_channel(target) as plain:
            stub = token_service_pb2_grpc.TokenServiceStub(plain)
            with pytest.raises(grpc.aio.AioRpcError) as failed:
                await stub.WhoAmI(WHO_AM_I, timeout=10)
        assert failed.value.code() is grpc.StatusCode.UNAVAILABLE


def _missing(certificate: Path, _key: Path) -> None:
    certificate.unlink()


def _unreadable(_certificate: Path, key: Path) -> None:
    key.unlink()
    key.mkdir()


def _mismatched(certificate: Path, _key: Path) -> None:
    certificate.write_bytes(self_signed("localhost").certificate)


def _not_pem(_certificate: Path, key: Path) -> None:
    key.write_bytes(b"-----BEGIN EC PRIVATE KEY-----\nnonsense\n")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_missing, "cannot read {certificate}: No such file or directory"),
        (_unreadable, "cannot read {key}: Is a directory"),
        (_mismatched, "{key} is not the key of the certificate {certificate}"),
        (_not_pem, "{certificate} and {key}"),
    ],
)
async def test_tls_files_that_cannot_be_used_are_told(
    world: World, tmp_path: Path, spoil: Callable[[Path, Path], None], said: str
) -> None:
    """At the start, rather than at each handshake."""
    certificate, key = self_signed("localhost").write(tmp_path)
    spoil(certificate, key)
    tls = TlsFiles(certificate=certificate, private_key=key)
    text = await refusal_to_start(world, Listening(port=0, tls=tls))
    assert text.startswith(said.format(certificate=certificate, key=key))


async def test_probes_and_tools_need_no_token(api: Api) -> None:
    """Health of every service, and the list of services."""
    health: Any = health_pb2_grpc.HealthStub(api.channel)
    for service in ("", *SERVICES):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await health.Check(health_pb2.HealthCheckRequest(service="other"), timeout=10)
    assert failed.value.code() is grpc.StatusCode.NOT_FOUND
    # The stubs' types know synchronous channels alone.
    reflection: Any = reflection_pb2_grpc.ServerReflectionStub(cast("grpc.Channel", api.channel))
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="doorward.v1.AppService"),
    ]
    listed, described = await drained(reflection.ServerReflectionInfo(iter(requests), timeout=10))
    names = {service.name for service in listed.list_services_response.service}
    assert names >= {*SERVICES, "grpc.health.v1.Health"}
    assert described.file_descriptor_response.file_descriptor_proto


async def test_a_running_call_is_answered_before_the_stop(api: Api) -> None:
    """Also one that waits for replicas: their stream stays until it is done."""
    app = await api.running_app()
    applied, waiting = asyncio.Event(), asyncio.Event()

    async def wait_until_enforced(revision: Revision) -> Enforcement:
        waiting.set()
        await applied.wait()
        return Enforcement.EVERYWHERE

    # A slow replica.
    api.world.propagation.wait_until_enforced = wait_until_enforced  # type: ignore[method-assign]
    replica: Any = policy_pb2_grpc.PolicyServiceStub(api.channel).StreamPolicy(timeout=20)
    await replica.write(policy_pb2.StreamPolicyRequest())
    request = app_service_pb2.StopAppRequest(app_id=app.app_id)
    call = asyncio.ensure_future(api.call(api.apps.StopApp, request))
    await waiting.wait()
    stopping = asyncio.ensure_future(api.server.stop(15))
    try:

        async def closed() -> bool:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", api.server.port)
            except OSError:
                return True
            writer.close()
            return False

        await eventually(closed, what="nothing listens any more")
        assert not replica.done()
        applied.set()
        assert (await call).policy_update.enforcement
        assert Refusal.of(await _error(replica)).reason == "SERVER_STOPPING"
    finally:
        applied.set()
        await stopping


async def test_a_call_that_outlives_the_grace_is_ended(api: Api) -> None:
    """Nobody holds up a stop for longer."""
    app = await api.running_app()
    api.world.propagation.hangs = True
    request = app_service_pb2.StopAppRequest(app_id=app.app_id)
    call = asyncio.ensure_future(api.call(api.apps.StopApp, request))
    await api.world.in_state(app.app_id, AppState.STOPPING)
    async with asyncio.timeout(10):
        await api.server.stop(0.1)
    with pytest.raises(grpc.aio.AioRpcError):
        await call


async def test_a_stop_may_be_repeated(world: World) -> None:
    """Whoever cleans up need not know whether it was done."""
    server = server_for(world, Listening(port=0))
    await server.start()
    await server.stop(0)
    await server.stop(0)


async def _error(stream: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await drained(stream)
    return failed.value
