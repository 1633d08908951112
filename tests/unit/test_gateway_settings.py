"""What Envoy is configured with, by the settings."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from doorward_server.bootstrap.gateway import gateway_config
from doorward_server.gateway.config import GatewayError, PinnedCertificate
from doorward_server.gateway.render import render
from doorward_server.settings import load_settings
from tests.support.certificates import self_signed


def api_cluster(directory: Path, **settings: object) -> Any:
    """The cluster of api in the configuration that these settings give."""
    config = yaml.safe_load(render(gateway_config(load_settings(**settings)), directory))
    (cluster,) = (each for each in config["static_resources"]["clusters"] if each["name"] == "api")
    return cluster


def address_of(cluster: Any) -> Any:
    """Where a cluster's only endpoint is."""
    (locality,) = cluster["load_assignment"]["endpoints"]
    (endpoint,) = locality["lb_endpoints"]
    return endpoint["endpoint"]["address"]


def test_api_is_next_door_unless_it_is_said(tmp_path: Path) -> None:
    """Its Unix socket, without TLS."""
    cluster = api_cluster(tmp_path, home=tmp_path)
    assert address_of(cluster) == {"pipe": {"path": f"{tmp_path}/run/api.sock"}}
    assert cluster["transport_socket"] is None


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("127.0.0.1:8081", {"socket_address": {"address": "127.0.0.1", "port_value": 8081}}),
        ("[::1]:8081", {"socket_address": {"address": "::1", "port_value": 8081}}),
        ("unix:/srv/api.sock", {"pipe": {"path": "/srv/api.sock"}}),
        ("unix:///srv/api.sock", {"pipe": {"path": "/srv/api.sock"}}),
    ],
)
def test_api_may_be_at_another_address(tmp_path: Path, target: str, address: object) -> None:
    """A port or a socket of this machine needs no certificate."""
    assert address_of(api_cluster(tmp_path, home=tmp_path, envoy_api_target=target)) == address


def test_api_may_be_on_another_machine(tmp_path: Path) -> None:
    """Its name is looked up, and the certificate is the one that is accepted."""
    file, _ = self_signed("api.internal").write(tmp_path)
    cluster = api_cluster(
        tmp_path, home=tmp_path, envoy_api_target="api.internal:8081", envoy_api_certificate_file=file
    )
    assert cluster["type"] == "STRICT_DNS"
    context = cluster["transport_socket"]["typed_config"]["common_tls_context"]["validation_context"]
    assert context["verify_certificate_hash"] == [PinnedCertificate.from_file(file).fingerprint]


def test_a_certificate_that_is_missing_is_named(tmp_path: Path) -> None:
    """And no configuration is made without it."""
    settings = load_settings(
        home=tmp_path, envoy_api_target="api:8081", envoy_api_certificate_file=tmp_path / "none.pem"
    )
    with pytest.raises(GatewayError, match=r"none\.pem"):
        gateway_config(settings)


def test_the_number_of_clients_is_a_setting(tmp_path: Path) -> None:
    """Envoy refuses those beyond it."""
    assert gateway_config(load_settings(home=tmp_path, envoy_max_connections=7)).max_connections == 7
