"""Fills envoy/doorward.yaml in."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from doorward_server.gateway.config import (
    GatewayConfig,
    GatewayError,
    PinnedCertificate,
    TcpAddress,
    UnixAddress,
)
from doorward_server.gateway.cors import cors_policy
from doorward_server.gateway.descriptors import api_descriptors, unwrapped_methods
from doorward_server.gateway.rest import rest_bodies, rest_messages

CONFIG_FILE = "envoy.yaml"
DESCRIPTOR_FILE = "doorward.binpb"
OPENAPI_FILE = "openapi.json"
ANSWER_SCRIPT = "rest_answer.lua"
BODY_SCRIPT = "rest_body.lua"
CACHE_SCRIPT = "edge_cache.lua"
COOKIE_SCRIPT = "session_cookie.lua"

_FILTER_CONFIG = "type.googleapis.com/envoy.config.route.v3.FilterConfig"
_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"


def render_gateway(config: GatewayConfig, directory: Path) -> Path:
    """Write the configuration and the files it names into *directory*; returns the configuration's path.

    Makes the folder when there is none. Raises `GatewayError`.
    """
    directory = directory.absolute()
    path = directory / CONFIG_FILE
    text = render(config, directory)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(directory / DESCRIPTOR_FILE, api_descriptors().SerializeToString(deterministic=True))
        _replace(directory / OPENAPI_FILE, (Path(__file__).parent / OPENAPI_FILE).read_bytes())
        for script in (ANSWER_SCRIPT, BODY_SCRIPT, CACHE_SCRIPT, COOKIE_SCRIPT):
            _replace(directory / script, (source_directory() / script).read_bytes())
        _replace(path, text.encode())
    except OSError as error:
        raise GatewayError(f"cannot write Envoy's configuration to {directory}: {error.strerror}") from error
    return path


def render(config: GatewayConfig, directory: Path) -> str:
    """Envoy's configuration as YAML. *directory* is where Envoy finds the files that it names."""
    return fill((source_directory() / "doorward.yaml").read_text("utf-8"), placeholders(config, directory))


def source_directory() -> Path:
    """The folder envoy/: beside this module when installed, at the top of a checkout."""
    here = Path(__file__).resolve().parent
    candidates = (here / "envoy", here.parents[3] / "envoy")
    for path in candidates:
        if (path / "doorward.yaml").is_file():
            return path
    raise GatewayError(f"envoy/doorward.yaml is missing from this installation; looked in {candidates[0]}")


def fill(template: str, values: Mapping[str, Any]) -> str:
    """Replace each `${name}` by its value as JSON, of which YAML is a superset: a value cannot become syntax.

    Raises `GatewayError` when the template and *values* do not name the same placeholders.
    """
    parsed = Template(template)
    if not parsed.is_valid():
        raise GatewayError("envoy/doorward.yaml has a '$' that begins no placeholder; write '$$' for '$'")
    named, given = set(parsed.get_identifiers()), set(values)
    if named != given:
        raise GatewayError(
            "envoy/doorward.yaml and its values differ: "
            f"unknown placeholders {sorted(named - given)}, unused values {sorted(given - named)}"
        )
    return parsed.substitute({name: _json(name, value) for name, value in values.items()})


def placeholders(config: GatewayConfig, directory: Path) -> dict[str, Any]:
    """The value of each placeholder in envoy/doorward.yaml, as Envoy's JSON."""
    return {
        **{f"methods_answering_{field}": _any_of(paths) for field, paths in unwrapped_methods().items()},
        "admin": None if config.admin_socket is None else _admin(config.admin_socket),
        "api_address": _address(config.api_address),
        "api_cors": _api_cors(config.api_cors_origins),
        "api_discovery": _discovery(config.api_address),
        "api_hosts": list(config.api_hosts),
        "api_transport_socket": None if config.api_certificate is None else _tls(config.api_certificate),
        "console_hosts": [config.console_host],
        "check_endpoints": [_endpoint(socket) for socket in config.check_sockets],
        **(_edge_cache(directory / CACHE_SCRIPT) if config.edge_cache else _NO_EDGE_CACHE),
        "listen_address": config.listen_address,
        "listen_port": config.listen_port,
        "max_connections": config.max_connections,
        "max_json_bytes": 4 * config.max_message_bytes,
        "max_message_bytes": config.max_message_bytes,
        "openapi_file": str(directory / OPENAPI_FILE),
        "proto_descriptor": str(directory / DESCRIPTOR_FILE),
        "rest_answer_script": str(directory / ANSWER_SCRIPT),
        "rest_body_script": str(directory / BODY_SCRIPT),
        "rest_bodies": rest_bodies(),
        "rest_messages": rest_messages(),
        "session_cookie_script": str(directory / COOKIE_SCRIPT),
        "stream_idle_timeout": _seconds(config.stream_idle_timeout),
        "web_endpoints": [] if config.web_socket is None else [_endpoint(config.web_socket)],
        "web_percent": 0 if config.web_socket is None else 100,
        "websocket_max_duration": _seconds(config.websocket_max_duration),
    }


_DISABLED = {"@type": _FILTER_CONFIG, "disabled": True}
_NO_EDGE_CACHE = {
    "edge_cache": _DISABLED,
    "edge_cache_asks": None,
    "edge_cache_code": None,
}


def _api_cors(origins: tuple[str, ...]) -> dict[str, Any]:
    return {"@type": _FILTER_CONFIG, "config": cors_policy(origins)} if origins else _DISABLED


def _edge_cache(script: Path) -> dict[str, Any]:
    """The filter that repeats what check allowed, and the one thing that keeps ext_authz from asking."""
    hit = {"path": [{"key": "hit"}], "value": {"bool_match": True}}
    return {
        "edge_cache": {"@type": _FILTER_CONFIG, "config": {}},
        # Metadata that is not there is not true: check is asked.
        "edge_cache_asks": {"filter": "doorward.edge_cache", **hit, "invert": True},
        "edge_cache_code": {"filename": str(script)},
    }


def _endpoint(socket: UnixAddress) -> dict[str, Any]:
    return {"endpoint": {"address": _address(socket)}}


def _address(address: TcpAddress | UnixAddress) -> dict[str, Any]:
    match address:
        case UnixAddress(path):
            return {"pipe": {"path": str(path)}}
        case TcpAddress(host, port):
            return {"socket_address": {"address": host, "port_value": port}}


def _discovery(address: TcpAddress | UnixAddress) -> str:
    needs_dns = isinstance(address, TcpAddress) and not address.is_literal
    return "STRICT_DNS" if needs_dns else "STATIC"


def _admin(socket: UnixAddress) -> dict[str, Any]:
    # Who may write to the socket can stop Envoy and read its configuration: its owner alone, and of its
    # pages those alone that `await_ready` and an operator's metrics need.
    pages = ("/ready", "/listeners?format=json", "/clusters?format=json", "/server_info", "/stats/prometheus")
    return {
        "address": {"pipe": {"path": str(socket.path), "mode": 0o600}},
        # Whoever watches Envoy sees it also when no more clients are let in.
        "ignore_global_conn_limit": True,
        "allow_paths": [{"exact": page} for page in pages],
    }


def _tls(certificate: PinnedCertificate) -> dict[str, Any]:
    validation = {"verify_certificate_hash": [certificate.fingerprint]}
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": _TLS,
            "common_tls_context": {"alpn_protocols": ["h2"], "validation_context": validation},
        },
    }


def _any_of(paths: list[str]) -> str:
    """A regular expression that matches each of *paths* and nothing else."""
    return "|".join(re.escape(path) for path in sorted(paths))


def _seconds(value: float) -> str:
    """A duration in the JSON form of `google.protobuf.Duration`."""
    return f"{value:.3f}s"


def _json(name: str, value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if not text.isprintable():
        # YAML knows more line ends than JSON, and reads surrogate pairs differently.
        raise GatewayError(f"the value of {name} has characters that cannot be printed")
    return text


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: a running Envoy may be reading it."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_bytes(content)
    new.replace(path)
