"""A check process that keeps to the contract and nothing else: one secret opens every app it was told of.

`python -m tests.e2e.support.fake_check SOCKET RULES` serves it in a process that a test can kill.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption
from envoy.service.auth.v3.external_auth_pb2 import (
    CheckRequest,
    CheckResponse,
    DeniedHttpResponse,
    OkHttpResponse,
)
from google.rpc.code_pb2 import PERMISSION_DENIED
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from doorward_server.domain.hosts import app_host, split_app_host

_METHOD = "envoy.service.auth.v3.Authorization"


@dataclass(slots=True)
class Rules:
    """What the fake decides by."""

    secret: str = ""
    apps: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Host, without port, to the address of the app; an empty host: allowed, without an address."""
    remembered: int = 0
    """For how many milliseconds Envoy may repeat an allow; 0: not at all."""
    any_path: bool = True
    """Whether it may do so for every path."""

    def to_json(self) -> str:
        """For a process of its own."""
        return json.dumps({"secret": self.secret, "apps": self.apps})

    @classmethod
    def from_json(cls, text: str) -> "Rules":
        """The reverse of `to_json`."""
        data = json.loads(text)
        return cls(data["secret"], {host: (name, port) for host, (name, port) in data["apps"].items()})


class FakeCheck:
    """Serves Check on a Unix socket, and keeps the requests it saw."""

    def __init__(self, path: Path, rules: Rules) -> None:
        self.rules = rules
        self.seen: list[CheckRequest] = []
        self._health = health.HealthServicer()
        self._server = grpc.server(ThreadPoolExecutor(max_workers=8))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        check = grpc.unary_unary_rpc_method_handler(
            self.check,
            request_deserializer=CheckRequest.FromString,
            response_serializer=CheckResponse.SerializeToString,
        )
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_METHOD, {"Check": check}),)
        )
        self._server.add_insecure_port(f"unix:{path}")
        self._server.start()

    def set_serving(self, serving: bool) -> None:
        """What the health check answers."""
        status = health_pb2.HealthCheckResponse
        self._health.set("", status.SERVING if serving else status.NOT_SERVING)

    def close(self) -> None:
        """Stop at once."""
        self._server.stop(grace=None).wait(5)

    def check(self, request: CheckRequest, context: grpc.ServicerContext) -> CheckResponse:
        """Decide: 400 for a credential sent twice, 401 without the secret, 403 for an unknown host."""
        self.seen.append(request)
        http = request.attributes.request.http
        values = [
            header.raw_value.decode("latin-1")
            for header in http.header_map.headers
            if header.key == "authorization"
        ]
        host = _app_host(http.host)
        # Envoy joins an Authorization that was sent twice with a comma, which no token has.
        if any("," in value for value in values):
            return _deny(400, "REPEATED_CREDENTIAL")
        if values != [f"Bearer {self.rules.secret}"]:
            return _deny(401, "NO_CREDENTIAL")
        if host not in self.rules.apps:
            return _deny(403, "UNKNOWN_APP")
        response = _allow(host, self.rules.apps[host])
        if self.rules.remembered:
            response.dynamic_metadata["remember"] = {
                "milliseconds": self.rules.remembered,
                "any_path": self.rules.any_path,
                "remove": list(response.ok_response.headers_to_remove),
            }
        return response


def _app_host(host: str) -> str:
    """The host as the real check reads it; empty when it names no app."""
    found = split_app_host(host)
    return app_host(*found) if found else ""


def _allow(app: str, upstream: tuple[str, int]) -> CheckResponse:
    identity = {
        "x-doorward-app-id": app,
        "x-doorward-token-id": "token0000001",
        "x-doorward-role": "READ_ONLY",
    }
    response = CheckResponse(
        status=Status(),
        ok_response=OkHttpResponse(
            headers=[
                HeaderValueOption(
                    header=HeaderValue(key=key, value=value),
                    append_action=HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
                )
                for key, value in identity.items()
            ],
            headers_to_remove=["authorization"],
        ),
    )
    host, port = upstream
    facts = {
        "app_id": app,
        "token_id": "token0000001",
        "role": "READ_ONLY",
        "region": "GRA",
        "reason": "ALLOWED",
    }
    response.dynamic_metadata.update(facts)
    if host:
        response.dynamic_metadata.update({"upstream_host": host, "upstream_port": str(port)})
    return response


def _deny(status: int, reason: str) -> CheckResponse:
    challenge = HeaderValue(key="www-authenticate", value='Bearer realm="doorward"')
    content_type = HeaderValue(key="content-type", value="application/problem+json")
    response = CheckResponse(
        status=Status(code=PERMISSION_DENIED),
        denied_response=DeniedHttpResponse(
            status={"code": status},
            headers=[HeaderValueOption(header=challenge), HeaderValueOption(header=content_type)],
            body=json.dumps({"title": "denied", "status": status}),
        ),
    )
    response.dynamic_metadata.update({"reason": reason})
    return response


if __name__ == "__main__":
    FakeCheck(Path(sys.argv[1]), Rules.from_json(Path(sys.argv[2]).read_text()))
    threading.Event().wait()
