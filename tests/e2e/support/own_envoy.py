"""An Envoy of one's own before the check and the api of a platform, with routes that name an app."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from doorward_server.gateway.config import GatewayConfig, UnixAddress
from tests.e2e.support.envoy_process import Edit, EnvoyProcess
from tests.e2e.support.real_stack import RealStack


@contextmanager
def own_envoy(stack: RealStack, name: str, edit: Edit, *, edge_cache: bool = False) -> Iterator[EnvoyProcess]:
    """Envoy with the configuration that is rendered, *edit*ed by hand; *name* is that of its folder."""
    run = stack.platform.run
    folder = stack.platform.home / name
    folder.mkdir()
    config = GatewayConfig(
        listen_port=0,
        api_address=UnixAddress(run / "api.sock"),
        check_sockets=(UnixAddress(run / "check-0.sock"),),
        admin_socket=UnixAddress(folder / "admin.sock"),
        edge_cache=edge_cache,
    )
    envoy = EnvoyProcess(config, folder, edit=edit)
    try:
        yield envoy
    finally:
        envoy.close()


def virtual_hosts(config: Any) -> Any:
    """Those of a rendered configuration."""
    (chain,) = config["static_resources"]["listeners"][0]["filter_chains"]
    return chain["filters"][0]["typed_config"]["route_config"]["virtual_hosts"]


def hosts_of_apps(config: Any) -> Any:
    """The one of them for every host that is not the API's."""
    (apps,) = (host for host in virtual_hosts(config) if host["name"] == "apps")
    return apps


def naming(app_id: str) -> dict[str, Any]:
    """What a route's or a virtual host's `typed_per_filter_config` has to hold to name an app."""
    return {
        "envoy.filters.http.ext_authz": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
            "check_settings": {"context_extensions": {"app_id": app_id}},
        }
    }
