"""What docs/how-to/own-envoy.md says may be changed, changed."""

import ssl
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.raw_http import TIMEOUT
from tests.e2e.support.stack import fake_stack
from tests.support.certificates import self_signed


def http_of(config: Any) -> tuple[Any, Any]:
    """The filter chain, and its connection manager."""
    (chain,) = config["static_resources"]["listeners"][0]["filter_chains"]
    return chain, chain["filters"][0]["typed_config"]


def test_tls_in_front_is_one_block(app: RecordingApp, tmp_path: Path) -> None:
    """With a certificate on the listener, clients speak HTTPS, and apps are told so."""
    certificate, private_key = self_signed("127.0.0.1").write(tmp_path)

    def add_tls(config: Any) -> None:
        chain, _ = http_of(config)
        files = {
            "certificate_chain": {"filename": str(certificate)},
            "private_key": {"filename": str(private_key)},
        }
        chain["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": {"alpn_protocols": ["h2", "http/1.1"], "tls_certificates": [files]},
            },
        }

    with fake_stack(edit=add_tls) as stack:
        published = stack.publish("127.0.0.1", app.port)
        trust = ssl.create_default_context(cafile=str(certificate))
        with httpx.Client(http2=True, verify=trust, timeout=TIMEOUT, trust_env=False) as client:
            url = f"https://127.0.0.1:{stack.envoy.port}/x"
            assert client.get(url, headers={"Host": published.host}).status_code == 401
            answer = client.get(url, headers={"Host": published.host, **published.credential})
    assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
    assert app.last.all("x-forwarded-proto") == ["https"]


def test_a_route_may_name_the_app(app: RecordingApp) -> None:
    """An app with a host of the operator's own: check is told which app the route means."""

    def add_route(config: Any) -> None:
        _, manager = http_of(config)
        hosts = manager["route_config"]["virtual_hosts"]
        (apps,) = (host for host in hosts if host["name"] == "apps")
        settings = {"context_extensions": {"app_id": "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"}}
        authz = {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
            "check_settings": settings,
        }
        hosts.append(
            {
                **apps,
                "name": "own",
                "domains": ["chat.example.com"],
                "typed_per_filter_config": {"envoy.filters.http.ext_authz": authz},
            }
        )

    with fake_stack(edit=add_route) as stack:
        published = stack.publish("127.0.0.1", app.port)
        assert published.get().status == 200
        published.get(host="chat.example.com")
        named = [dict(request.attributes.context_extensions) for request in stack.checks[0].seen]
    assert named == [{}, {"app_id": "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"}]


def test_behind_another_proxy_the_client_is_the_one_that_it_names(app: RecordingApp) -> None:
    """With `xff_num_trusted_hops`, the address that the proxy in front saw is believed, and no other."""

    def trust_one(config: Any) -> None:
        http_of(config)[1]["xff_num_trusted_hops"] = 1

    with fake_stack(edit=trust_one) as stack:
        published = stack.publish("127.0.0.1", app.port)
        published.get("/hops", headers=[("X-Forwarded-For", "192.0.2.66, 192.0.2.7")])
        assert stack.envoy.logged("/hops")["client"] == "192.0.2.7"
