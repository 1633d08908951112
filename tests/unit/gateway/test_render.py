"""Envoy's configuration: what differs is filled in as JSON, and nothing else can get in."""

import json
import os
import re
import string
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.commands.processes import envoy as envoy_command
from doorward_server.gateway.config import (
    GatewayConfig,
    GatewayError,
    PinnedCertificate,
    TcpAddress,
    UnixAddress,
)
from doorward_server.gateway.render import fill, placeholders, render, render_gateway, source_directory
from doorward_server.gateway.run import envoy_argv
from tests.support.edge_cache import BY_HOST

HERE = Path("/somewhere")


def a_config(**changes: Any) -> GatewayConfig:
    """A configuration with changes."""
    values: dict[str, Any] = {
        "api_address": UnixAddress(Path("/run/doorward/api.sock")),
        "check_sockets": (UnixAddress(Path("/run/doorward/check-0.sock")),),
        "admin_socket": UnixAddress(Path("/run/doorward/admin.sock")),
    }
    return GatewayConfig(**{**values, **changes})


def rendered(**changes: Any) -> Any:
    """The configuration as Envoy reads it."""
    return yaml.safe_load(render(a_config(**changes), HERE))


def connection_manager(**changes: Any) -> Any:
    """The settings of the one HTTP listener."""
    (listener,) = rendered(**changes)["static_resources"]["listeners"]
    return listener["filter_chains"][0]["filters"][0]["typed_config"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"admin_socket": None},
        {"listen_address": "::", "listen_port": 0},
        {"api_address": TcpAddress("api.internal", 8081), "api_certificate": PinnedCertificate("ab" * 32)},
        {"api_address": TcpAddress("2001:db8::1", 8081)},
        {"check_sockets": tuple(UnixAddress(Path(f"/run/check-{n}.sock")) for n in range(8))},
        {"api_hosts": ("api.example.com", "[::1]", "10.0.0.1")},
        {"stream_idle_timeout": 0, "websocket_max_duration": 0.5},
        {"edge_cache": True},
        {"api_cors_origins": ("https://app.example.com", "http://localhost:5173", "http://[::1]:5173")},
    ],
)
def test_envoy_accepts_every_form_of_the_configuration(tmp_path: Path, changes: dict[str, Any]) -> None:
    """The real Envoy validates the result, and warns of nothing: no field is deprecated or ignored."""
    path = render_gateway(a_config(**changes), tmp_path / "sub")
    done = subprocess.run(
        [*envoy_argv(path), "--mode", "validate"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_envoys_own_log_can_be_json(tmp_path: Path) -> None:
    """Each line is an object with what the lines of the other processes have, whatever its message holds."""
    path = render_gateway(a_config(), tmp_path)
    done = subprocess.run(
        [*envoy_argv(path, log_level="info", log_format="json"), "--mode", "validate"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines
    for line in lines:
        assert line.keys() == {"time", "level", "process", "logger", "message"}
        assert datetime.fromisoformat(line["time"]).tzinfo is not None
        assert line["process"] == "envoy"


def test_the_setting_of_the_log_reaches_envoy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`doorward envoy` logs as the other processes do."""
    ran: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _program, argv: ran.append(argv))
    monkeypatch.setenv("DOORWARD_HOME", str(tmp_path))
    monkeypatch.setenv("DOORWARD_ENVOY_PORT", "0")
    for log_format in ("text", "json"):
        monkeypatch.setenv("DOORWARD_LOG_FORMAT", log_format)
        envoy_command.main(args=[], standalone_mode=False)
    text, in_json = (argv[argv.index("--log-format") + 1] for argv in ran)
    assert json.loads(in_json)["process"] == "envoy"
    assert not text.startswith("{")


def test_the_template_is_yaml_itself() -> None:
    """A person can open envoy/doorward.yaml in an editor that knows YAML."""
    assert yaml.safe_load((source_directory() / "doorward.yaml").read_text())["admin"] == "${admin}"


def test_every_placeholder_has_a_value_and_every_value_a_placeholder() -> None:
    """A template that asks for more, or for less, is an error that names what differs."""
    template = (source_directory() / "doorward.yaml").read_text()
    values = placeholders(a_config(), HERE)
    with pytest.raises(GatewayError, match=r"unknown placeholders \['more'\]"):
        fill(template + "\nmore: ${more}\n", values)
    with pytest.raises(GatewayError, match=r"unused values \['less'\]"):
        fill(template, {**values, "less": 1})


@pytest.mark.parametrize("template", ["a: $", "a: ${", "a: ${not a name}", "a: $1"])
def test_a_broken_placeholder_is_an_error(template: str) -> None:
    """A `$` that begins no placeholder is never passed on to Envoy."""
    with pytest.raises(GatewayError, match="begins no placeholder"):
        fill(template, {})


@given(st.text(alphabet=st.characters(exclude_categories=["C", "Z"], include_characters=" ")))
def test_a_value_cannot_become_syntax(value: str) -> None:
    """Whatever can be printed comes out of a YAML parser as the string that it was."""
    assert yaml.safe_load(fill("a:\n  b: ${x}\n  c: 1\n", {"x": value})) == {"a": {"b": value, "c": 1}}


@pytest.mark.parametrize("character", ["\x7f", "\x85", "\u2028", "\ud800", "\ufeff"])
def test_a_value_that_cannot_be_printed_is_refused(character: str) -> None:
    """Line ends that YAML knows and JSON does not, and control characters, are refused by name."""
    with pytest.raises(GatewayError, match="value of path has characters that cannot be printed"):
        fill("a: ${path}", {"path": f"/home/{character}"})


def test_rendering_again_replaces_whole_files(tmp_path: Path) -> None:
    """The folder holds the configuration and what it names, and nothing half-written."""
    render_gateway(a_config(listen_port=8080), tmp_path)
    path = render_gateway(a_config(listen_port=9090), tmp_path)
    assert "port_value: 9090" in path.read_text()
    scripts = {"edge_cache.lua", "rest_answer.lua", "rest_body.lua", "session_cookie.lua"}
    names = {"doorward.binpb", "envoy.yaml", "openapi.json", *scripts}
    assert {file.name for file in tmp_path.iterdir()} == names


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file in the way is an error that says where."""
    (tmp_path / "file").write_text("")
    with pytest.raises(
        GatewayError, match=re.escape(f"cannot write Envoy's configuration to {tmp_path}/file")
    ):
        render_gateway(a_config(), tmp_path / "file")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"listen_port": 65536}, "listen_port must be 0 to 65535"),
        ({"listen_port": -1}, "listen_port must be 0 to 65535"),
        ({"listen_address": "localhost"}, "must be an IP address"),
        ({"listen_address": "127.0.0.1\n"}, "neither a DNS name nor an IP address"),
        ({"api_hosts": ()}, "at least one host"),
        ({"api_hosts": ("a.example", "A.example")}, "each once"),
        ({"api_hosts": ("*",)}, "not a host name"),
        ({"api_hosts": ("*.example.com",)}, "not a host name"),
        ({"api_hosts": ("api.localhost:8080",)}, "not a host name: no port"),
        ({"api_hosts": ("api.localhost/x",)}, "not a host name"),
        ({"api_hosts": ("",)}, "not a host name"),
        ({"console_host": "*"}, "console_host must be a host name"),
        ({"console_host": "localhost"}, "none of api_hosts"),
        ({"api_cors_origins": ("*",)}, "not an origin"),
        ({"api_cors_origins": ("app.example.com",)}, "not an origin"),
        ({"api_cors_origins": ("https://app.example.com/",)}, "not an origin"),
        ({"api_cors_origins": ("https://App.example.com",)}, "not an origin"),
        ({"api_cors_origins": ("https://app.example.com:443",)}, "not an origin"),
        ({"api_cors_origins": ("http://app.example.com:80",)}, "not an origin"),
        ({"api_cors_origins": ("https://*.example.com",)}, "not an origin"),
        ({"api_cors_origins": ("https://app.example.com\n",)}, "not an origin"),
        ({"check_sockets": ()}, "at least one socket"),
        ({"stream_idle_timeout": -1}, "stream_idle_timeout"),
        ({"websocket_max_duration": float("nan")}, "websocket_max_duration"),
        ({"stream_idle_timeout": float("inf")}, "stream_idle_timeout"),
        ({"max_message_bytes": 0}, "max_message_bytes must be 1 to"),
        ({"max_connections": 2**31}, "max_connections must be 1 to"),
    ],
)
def test_a_value_that_envoy_could_misread_is_refused(changes: dict[str, Any], says: str) -> None:
    """The error names the setting and the rule."""
    with pytest.raises(GatewayError, match=says):
        a_config(**changes)


def test_a_socket_path_that_is_too_long_is_refused() -> None:
    """The kernel's limit is met before Envoy meets it, with what to do about it."""
    with pytest.raises(
        GatewayError, match="has 120 bytes, and a Unix socket allows 107: choose a shorter folder"
    ):
        UnixAddress(Path("/" + "x" * 119))
    with pytest.raises(GatewayError, match="must be absolute"):
        UnixAddress(Path("run/check.sock"))


@pytest.mark.parametrize(
    "host", ["", "a b", "a:b:80", "-x", 'a"', "a/b", "[::1]", "1.2.3.400", "fe80::1%eth0"]
)
def test_a_host_that_is_none_is_refused(host: str) -> None:
    """A host is a DNS name or an IP address."""
    with pytest.raises(GatewayError, match="neither a DNS name nor an IP address"):
        TcpAddress(host, 80)


def test_no_route_has_a_timeout() -> None:
    """A response may take as long as it takes: models think, and stream."""
    hosts = connection_manager()["route_config"]["virtual_hosts"]
    actions = [route["route"] for host in hosts for route in host["routes"] if "route" in route]
    assert len(actions) >= 6
    assert all(action["timeout"] == "0s" for action in actions)
    assert all(action["idle_timeout"] == "3600.000s" for action in actions)


def test_only_the_api_and_doorwards_own_pages_go_without_check() -> None:
    """Everything else that is routed is decided by check, and the names of apps and regions are nowhere."""
    api, console, apps = connection_manager()["route_config"]["virtual_hosts"]
    ext_authz = "envoy.filters.http.ext_authz"
    assert api["domains"] == ["api.localhost", "localhost", "127.0.0.1"]
    assert api["typed_per_filter_config"][ext_authz]["disabled"] is True
    assert {route["route"]["cluster"] for route in api["routes"] if "route" in route} == {"api"}
    assert console["domains"] == ["console.localhost"]
    assert console["typed_per_filter_config"][ext_authz]["disabled"] is True
    assert {route["route"]["cluster"] for route in console["routes"] if "route" in route} == {"web"}
    assert apps["domains"] == ["*"]
    assert "typed_per_filter_config" not in apps
    unchecked = [route for route in apps["routes"] if ext_authz in route.get("typed_per_filter_config", {})]
    dotted, *others = [route["match"] for route in unchecked]
    assert dotted["headers"][0]["name"] == ":authority"
    assert others == [
        {
            "path_separated_prefix": "/.doorward",
            "runtime_fraction": {"default_value": {"numerator": 0, "denominator": "HUNDRED"}},
        },
        {"path_separated_prefix": "/.doorward"},
        {"connect_matcher": {}},
    ]
    assert all("direct_response" in route or route["route"]["cluster"] == "web" for route in unchecked)


def test_check_fails_closed() -> None:
    """The settings that DESIGN names are the ones that Envoy gets."""
    filters = {entry["name"]: entry for entry in connection_manager()["http_filters"]}
    authz = filters["envoy.filters.http.ext_authz"]["typed_config"]
    assert authz["failure_mode_allow"] is False
    assert authz["status_on_error"] == {"code": "ServiceUnavailable"}
    assert authz["validate_mutations"] is True
    assert authz["clear_route_cache"] is False
    assert "with_request_body" not in authz
    assert not [name for name in filters if "disabled" in filters[name] and "authz" in name]


def edge_cache_of(route: Any) -> Any:
    """How a route sets the edge cache."""
    return route.get("typed_per_filter_config", {}).get("doorward.edge_cache", {})


def test_by_default_envoy_remembers_nothing() -> None:
    """The filter has no script and runs nowhere, and check is asked without a condition."""
    manager = connection_manager()
    filters = {entry["name"]: entry for entry in manager["http_filters"]}
    assert filters["doorward.edge_cache"]["disabled"] is True
    assert filters["doorward.edge_cache"]["typed_config"]["default_source_code"] is None
    assert filters["envoy.filters.http.ext_authz"]["typed_config"]["filter_enabled_metadata"] is None
    for host in manager["route_config"]["virtual_hosts"]:
        assert all(edge_cache_of(route).get("disabled", True) for route in host["routes"])


def test_where_it_is_wanted_the_routes_of_apps_alone_have_the_edge_cache() -> None:
    """Neither WebSockets nor the API nor Doorward's own pages; and check is asked unless there is a hit."""
    manager = connection_manager(edge_cache=True)
    names = [entry["name"] for entry in manager["http_filters"]]
    assert names.index("envoy.filters.http.header_mutation") < names.index("doorward.edge_cache")
    assert names.index("doorward.edge_cache") + 1 == names.index("envoy.filters.http.ext_authz")
    filters = {entry["name"]: entry for entry in manager["http_filters"]}
    assert filters["doorward.edge_cache"]["disabled"] is True
    assert filters["envoy.filters.http.ext_authz"]["typed_config"]["filter_enabled_metadata"] == {
        "filter": "doorward.edge_cache",
        "path": [{"key": "hit"}],
        "value": {"bool_match": True},
        "invert": True,
    }
    routes = [route for host in manager["route_config"]["virtual_hosts"] for route in host["routes"]]
    with_cache = [route for route in routes if "config" in edge_cache_of(route)]
    assert [route["route"]["cluster"] for route in with_cache] == ["apps_http2", "apps_http1"]
    assert all("upgrade_configs" not in route["route"] for route in with_cache)
    # The script remembers nothing of a route of any other name.
    assert [route["name"] for route in with_cache] == [f"{BY_HOST}-grpc", BY_HOST]


def test_every_method_with_a_body_is_looked_at() -> None:
    """What rest_body.lua is told covers each REST mapping that takes a body, by the path of the request."""
    values = placeholders(a_config(), HERE)
    known = {(body["method"], body["path"], body["message"]) for body in values["rest_bodies"]}
    assert ("POST", "^/v1/apps$", "doorward.v1.App") in known
    assert ("PATCH", "^/v1/tokens/[^/]+$", "doorward.v1.Token") in known
    assert ("POST", "^/v1/apps/[^/]+:start$", "doorward.v1.StartAppRequest") in known
    token = values["rest_messages"]["doorward.v1.Token"]
    assert token["expireTime"] == token["expire_time"] == ""
    assert values["rest_messages"]["doorward.v1.App"]["spec"] == "doorward.v1.AppSpec"
    assert values["rest_messages"]["doorward.v1.App"]["labels"] == ""
    assert {message for _, _, message in known} <= values["rest_messages"].keys()


def test_the_configuration_holds_no_secret() -> None:
    """Whoever may read the file learns addresses, and nothing that opens anything."""
    text = json.dumps(placeholders(a_config(), HERE))
    assert "dw_" not in text
    assert not re.search(rf"[{string.hexdigits}]{{32,}}", text)


def test_a_certificate_is_pinned_by_its_fingerprint(tmp_path: Path) -> None:
    """A file that is missing, or holds no certificate, is an error that names it."""
    with pytest.raises(GatewayError, match=r"cannot read the api's certificate .*missing\.pem: No such file"):
        PinnedCertificate.from_file(tmp_path / "missing.pem")
    (tmp_path / "not.pem").write_text("-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n")
    with pytest.raises(GatewayError, match=r"not\.pem holds no certificate in PEM form"):
        PinnedCertificate.from_file(tmp_path / "not.pem")
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(GatewayError, match="holds no certificate in PEM form"):
        PinnedCertificate.from_file(tmp_path / "empty.pem")
