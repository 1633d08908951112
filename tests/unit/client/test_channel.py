"""The way to the api: who may read what goes over it, and who answers."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

import doorward
from tests.support.certificates import Certificate, self_signed
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


def test_an_api_that_is_known(tls_api: FakeApi, ca_file: Path, token: str) -> None:
    """An api whose certificate is trusted, and has its name, is spoken to."""
    tls = doorward.TLS(ca_file=ca_file, server_name=NAME)
    with doorward.Client(tls_api.address, token=token, tls=tls) as client:
        assert client.whoami().display_name == "me"


def test_the_environment_names_the_authority(
    certificate: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
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
        with doorward.Client.from_env() as client:
            assert client.whoami().display_name == "me"
        (tmp_path / "other.pem").write_bytes(certificate.certificate)
        given = doorward.TLS(ca_file=tmp_path / "other.pem")
        for client in (doorward.Client.from_env(tls=given), doorward.Client.from_env(insecure=True)):
            with client, pytest.raises(doorward.Unavailable):
                client.whoami(timeout=1)
    finally:
        api.stop()


def test_plain_text_to_an_api_of_tls(tls_api: FakeApi, token: str) -> None:
    """Who speaks plain text to an api that serves TLS is told what to set."""
    with (
        doorward.Client(tls_api.address, token=token) as client,
        pytest.raises(doorward.Unavailable, match="if it serves TLS, set DOORWARD_CA_FILE"),
    ):
        client.whoami(timeout=1)


@pytest.mark.parametrize("server_name", [None, "other.example.com"])
def test_an_api_of_another_name(tls_api: FakeApi, ca_file: Path, token: str, server_name: str | None) -> None:
    """A certificate that is trusted for another name is not the api's, and the token is not sent."""
    tls = doorward.TLS(ca_file=ca_file, server_name=server_name)
    with (
        doorward.Client(tls_api.address, token=token, tls=tls) as client,
        pytest.raises(doorward.Unavailable, match="cannot be reached"),
    ):
        client.whoami(timeout=1)
    assert tls_api.state.seen["WhoAmI"] == []


def test_an_api_that_nobody_knows(tls_api: FakeApi, token: str) -> None:
    """A certificate that no authority of the machine has signed is not trusted."""
    tls = doorward.TLS(server_name=NAME)
    with (
        doorward.Client(tls_api.address, token=token, tls=tls) as client,
        pytest.raises(doorward.Unavailable, match="cannot be reached"),
    ):
        client.whoami(timeout=1)
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
def test_what_is_encrypted(
    monkeypatch: pytest.MonkeyPatch, address: str, options: dict[str, object], scheme: str
) -> None:
    """Everything is encrypted but what stays on this machine, or is said to be allowed in plain text."""
    opened: list[tuple[str, str, dict[str, object]]] = []
    insecure, secure = grpc.insecure_channel, grpc.secure_channel

    def plain(target: str, options: list[tuple[str, object]]) -> grpc.Channel:
        opened.append(("plain", target, dict(options)))
        return insecure(target, options)

    def encrypted(
        target: str, key: grpc.ChannelCredentials, options: list[tuple[str, object]]
    ) -> grpc.Channel:
        opened.append(("tls", target, dict(options)))
        return secure(target, key, options)

    monkeypatch.setattr(grpc, "insecure_channel", plain)
    monkeypatch.setattr(grpc, "secure_channel", encrypted)
    doorward.Client(address, **options).close()  # type: ignore[arg-type]  # made of parameters
    ((how, target, settings),) = opened
    assert (how, target) == (scheme, address)
    # In plain text a proxy that the environment names would read the token.
    assert (settings.get("grpc.enable_http_proxy") == 0) == (scheme == "plain")


def test_a_unix_socket(tmp_path: Path, token: str) -> None:
    """An api on a Unix socket is spoken to."""
    api = FakeApi(address=f"unix:{tmp_path}/api.sock")
    with doorward.Client(api.address, token=token) as client:
        assert client.whoami().display_name == "me"
    api.stop()


def test_settings_that_contradict() -> None:
    """TLS and plain text at once are refused."""
    with pytest.raises(doorward.ConfigurationError, match="contradict each other"):
        doorward.Client("10.0.0.1:1", tls=doorward.TLS(), insecure=True)


@pytest.mark.parametrize(("data", "text"), [(None, "No such file"), (b"", "no PEM certificate in it")])
def test_a_wrong_ca_file(tmp_path: Path, data: bytes | None, text: str) -> None:
    """A file of authorities that is missing, or is none, is named."""
    file = tmp_path / "ca.pem"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(doorward.ConfigurationError, match=text) as caught:
        doorward.Client("10.0.0.1:1", tls=doorward.TLS(ca_file=file))
    assert str(file) in str(caught.value)
