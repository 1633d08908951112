"""The real Envoys of a measurement: before the apps, and as the app itself."""

import asyncio
import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import psutil

from doorward_server.bootstrap.gateway import gateway_config
from doorward_server.gateway.config import UnixAddress
from doorward_server.gateway.run import await_check, await_ready, envoy_argv
from doorward_server.settings import Settings
from tests.e2e.support.envoy_process import EnvoyProcess
from tests.e2e.support.tether import tethered

_READY_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10.0
_HTTP: Final = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)
_ROUTER: Final = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"

Edit = Callable[[Any], None]


@contextlib.contextmanager
def cheapest_app(home: Path) -> Iterator[tuple[psutil.Process, int]]:
    """An app that costs next to nothing: an Envoy that answers by itself. Gives its process and port."""
    home.mkdir(mode=0o700)
    admin, path = UnixAddress(home / "admin.sock"), home / "app.json"
    path.write_text(json.dumps(_app(admin)))
    with (home / "app.log").open("wb") as log:
        process = subprocess.Popen(
            tethered(envoy_argv(path, concurrency=1)),
            cwd=Path(__file__).resolve().parents[1],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        port = asyncio.run(await_ready(admin, timeout=_READY_SECONDS, returncode=process.poll))
        yield psutil.Process(process.pid), port
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def gateway(
    settings: Settings, *, edit: Edit | None = None, asks_check: bool = True
) -> Iterator[EnvoyProcess]:
    """Envoy as Doorward configures it for *settings*, with a change by hand if need be."""
    config = gateway_config(settings)
    envoy = EnvoyProcess(config, settings.home, edit=edit)
    try:
        if asks_check and config.admin_socket is not None:
            asyncio.run(await_check(config.admin_socket, timeout=_READY_SECONDS))
        yield envoy
    finally:
        envoy.close()


def without_auth(port: int) -> Edit:
    """Take ext_authz out, and send every request to one port of 127.0.0.1: what routing alone costs."""

    def edit(rendered: Any) -> None:
        (chain,) = rendered["static_resources"]["listeners"][0]["filter_chains"]
        manager = chain["filters"][0]["typed_config"]
        manager["http_filters"] = [
            each for each in manager["http_filters"] if each["name"] != "envoy.filters.http.ext_authz"
        ]
        (state,) = (
            each for each in manager["http_filters"] if each["name"] == "envoy.filters.http.set_filter_state"
        )
        values = {"envoy.upstream.dynamic_host": "127.0.0.1", "envoy.upstream.dynamic_port": str(port)}
        for each in state["typed_config"]["on_request_headers"]:
            each["format_string"]["text_format_source"]["inline_string"] = values[each["object_key"]]
        _drop_key(rendered, "envoy.filters.http.ext_authz")

    return edit


def _drop_key(tree: Any, key: str) -> None:
    """Routes must not configure a filter that is not there."""
    if isinstance(tree, dict):
        tree.pop(key, None)
    for each in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        _drop_key(each, key)


def _app(admin: UnixAddress) -> dict[str, Any]:
    answer = {"status": 200, "body": {"inline_string": "Hello, World!"}}
    routes = [{"match": {"prefix": "/"}, "direct_response": answer}]
    manager = {
        "@type": _HTTP,
        "stat_prefix": "app",
        "route_config": {"virtual_hosts": [{"name": "app", "domains": ["*"], "routes": routes}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}],
    }
    return {
        "admin": {"address": {"pipe": {"path": str(admin.path), "mode": 0o600}}},
        "static_resources": {
            "listeners": [
                {
                    # The name by which `await_ready` finds the port.
                    "name": "doorward",
                    "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
                    "filter_chains": [
                        {
                            "filters": [
                                {
                                    "name": "envoy.filters.network.http_connection_manager",
                                    "typed_config": manager,
                                }
                            ]
                        }
                    ],
                }
            ]
        },
    }
