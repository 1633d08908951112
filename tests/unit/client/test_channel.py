"""The way to the api: who may read what goes over it, and who answers."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import grpc
import pytest

import doorward
from doorward._channel import dial
from doorward._target import parse_target
from doorward.v1.app_service_pb2 import GetAppRequest
from doorward.v1.app_service_pb2_grpc import AppServiceStub
from tests.support.certificates import Certificate, self_signed
from tests.unit.client.both import Connect
from tests.unit.client.fake_api import FakeApi

NAME = "api.example.com"


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    """The api's certificate."""
    return self_signed(NAME)


@pytest.fixture
def tls_api(certificate: Certificate) -> Iterator[FakeApi]:
    """A fake api that speaks TLS."""
    keys = [(certificate.private_key, certificate.certificate)]
    api = FakeApi(credentials=grpc.ssl_server_credentials(keys))
    yield api
    api.stop()


@pytest.fixture
def ca_file(certificate: Certificate, tmp_path: Path) -> Path:
    """A file with the authority that signed it: itself."""
    path = tmp_path / "ca.pem"
    path.write_bytes(certificate.certificate)
    return path


def test_an_api_that_is_known(tls_api: FakeApi, ca_file: Path, token: str, connect: Connect) -> None:
    """An api whose certificate is trusted, and has its name, is spoken to."""
    tls = doorward.TLS(ca_file=ca_file, server_name=NAME)
    client = connect(tls_api.address, token=token, tls=tls)
    assert client.whoami().display_name == "me"


def test_the_environment_names_the_authority(
    certificate: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str, connect: Connect
) -> None:
    """DOORWARD_CA_FILE makes a client speak TLS on this machine too, unless the program says otherwise."""
    local = self_signed("127.0.0.1")
    trusted = tmp_path / "local.pem"
    trusted.write_bytes(local.certificate)
    api = FakeApi(credentials=grpc.ssl_server_credentials([(local.private_key, local.certificate)]))
    try:
        monkeypatch.setenv("DOORWARD_ADDRESS", api.address)
        monkeypatch.setenv("DOORWARD_TOKEN", token)
        monkeypatch.setenv("DOORWARD_CA_FILE", str(trusted))
        assert connect().whoami().display_name == "me"
        (tmp_path / "other.pem").write_bytes(certificate.certificate)
        given = doorward.TLS(ca_file=tmp_path / "other.pem")
        for client in (connect(tls=given), connect(insecure=True)):
            with pytest.raises(doorward.Unavailable):
                client.whoami(timeout=1)
    finally:
        api.stop()


def test_plain_text_to_an_api_of_tls(tls_api: FakeApi, token: str, connect: Connect) -> None:
    """Who speaks plain text to an api that serves TLS is told what to set."""
    with pytest.raises(doorward.Unavailable, match="if it serves TLS, set DOORWARD_CA_FILE"):
        connect(tls_api.address, token=token).whoami(timeout=1)


@pytest.mark.parametrize("server_name", [None, "other.example.com"])
def test_an_api_of_another_name(
    tls_api: FakeApi, ca_file: Path, token: str, server_name: str | None, connect: Connect
) -> None:
    """A certificate that is trusted for another name is not the api's, and the token is not sent."""
    tls = doorward.TLS(ca_file=ca_file, server_name=server_name)
    with pytest.raises(doorward.Unavailable, match="cannot be reached"):
        connect(tls_api.address, token=token, tls=tls).whoami(timeout=1)
    assert tls_api.state.seen["WhoAmI"] == []


def test_an_api_that_nobody_knows(tls_api: FakeApi, token: str, connect: Connect) -> None:
    """A certificate that no authority of the machine has signed is not trusted."""
    tls = doorward.TLS(server_name=NAME)
    with pytest.raises(doorward.Unavailable, match="cannot be reached"):
        connect(tls_api.address, token=token, tls=tls).whoami(timeout=1)
    assert tls_api.state.seen["WhoAmI"] == []


@pytest.mark.parametrize(
    ("address", "options", "scheme"),
    [
        ("127.0.0.1:8081", {}, "plain"),
        ("localhost:8081", {}, "plain"),
        ("unix:/run/api.sock", {}, "plain"),
        ("127.0.0.1:8081", {"tls": doorward.TLS()}, "tls"),
        ("10.0.0.1:8081", {}, "tls"),
        ("api.example.com:443", {}, "tls"),
        ("api.localhost:8080", {}, "tls"),
        ("10.0.0.1:8081", {"insecure": True}, "plain"),
    ],
)
def test_what_is_encrypted(address: str, options: dict[str, Any], scheme: str) -> None:
    """Everything is encrypted but what stays on this machine, or is said to be allowed in plain text."""
    dialled = dial(parse_target(address), **{"tls": None, "insecure": False, **options})
    assert (dialled.uri, dialled.credentials is None) == (address, scheme == "plain")
    # In plain text a proxy that the environment names would read the token.
    assert (dialled.options.get("grpc.enable_http_proxy") == 0) == (scheme == "plain")


def test_the_clients_name(api: FakeApi, client: doorward.Client) -> None:
    """The server's log can tell which client, and which version of it, makes a call."""
    client.whoami()
    agent = str(api.seen("WhoAmI").metadata["user-agent"])
    assert agent.startswith(f"doorward-python/{metadata.version('doorward')} grpc-python")


def test_settings_of_the_channel(api: FakeApi, connect: Connect) -> None:
    """A program can set what gRPC's channels can be set to, the client's own choices included."""
    client = connect(
        api.address, options={"grpc.primary_user_agent": "mine/1", "grpc.max_send_message_length": 64}
    )
    client.whoami()
    assert str(api.seen("WhoAmI").metadata["user-agent"]).startswith("mine/1 ")
    with pytest.raises(doorward.ResourceExhausted):
        client.apps.get("a" * 100)


def test_generated_stubs(api: FakeApi, token: str) -> None:
    """What the client does not offer can be called by generated stubs, over its channel, with its token."""
    request = GetAppRequest(app_id="unknown")
    with doorward.Client(api.address, token=token) as client, pytest.raises(grpc.RpcError):
        AppServiceStub(client.channel).GetApp(request, metadata=client.metadata(), timeout=10)
    assert api.seen("GetApp").metadata["authorization"] == f"Bearer {token}"


async def test_generated_stubs_that_are_awaited(api: FakeApi, token: str) -> None:
    """The same on an event loop."""
    request = GetAppRequest(app_id="unknown")
    async with doorward.AsyncClient(api.address, token=token) as client:
        stub = AppServiceStub(client.channel)
        with pytest.raises(grpc.RpcError):
            await stub.GetApp(request, metadata=await client.metadata(), timeout=10)
    assert api.seen("GetApp").metadata["authorization"] == f"Bearer {token}"


def test_a_unix_socket(tmp_path: Path, token: str, connect: Connect) -> None:
    """An api on a Unix socket is spoken to."""
    api = FakeApi(address=f"unix:{tmp_path}/api.sock")
    assert connect(api.address, token=token).whoami().display_name == "me"
    api.stop()


def test_settings_that_contradict(connect: Connect) -> None:
    """TLS and plain text at once are refused."""
    with pytest.raises(doorward.ConfigurationError, match="contradict each other"):
        connect("10.0.0.1:1", tls=doorward.TLS(), insecure=True)


@pytest.mark.parametrize(("data", "text"), [(None, "No such file"), (b"", "no PEM certificate in it")])
def test_a_wrong_ca_file(tmp_path: Path, data: bytes | None, text: str, connect: Connect) -> None:
    """A file of authorities that is missing, or is none, is named."""
    file = tmp_path / "ca.pem"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(doorward.ConfigurationError, match=text) as caught:
        connect("10.0.0.1:1", tls=doorward.TLS(ca_file=file))
    assert str(file) in str(caught.value)
