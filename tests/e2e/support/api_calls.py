"""The API as callers reach it: by gRPC at api's own port, and by REST through Envoy.

What a call is in REST is taken from the protos (google.api.http), as a reader of them would.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, cast
from urllib.parse import quote, urlencode

import grpc
from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from doorward.v1 import (
    app_service_pb2,
    audit_service_pb2,
    replica_service_pb2,
    session_service_pb2,
    token_service_pb2,
)
from tests.e2e.support.raw_http import Connection, request_bytes

METHODS: dict[str, MethodDescriptor] = {
    method.name: method
    for file in (
        app_service_pb2,
        token_service_pb2,
        session_service_pb2,
        audit_service_pb2,
        replica_service_pb2,
    )
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
"""Every RPC of the public API, by name."""

TIMEOUT = 30.0


class ApiError(Exception):
    """A call was refused."""

    def __init__(self, status: status_pb2.Status, headers: dict[str, str], http_status: int | None) -> None:
        super().__init__(status.message)
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        for detail in status.details:
            detail.Unpack(info)
            detail.Unpack(bad)
        self.code = status.code
        self.reason = info.reason.removeprefix("ERROR_REASON_")
        self.fields = [each.field for each in bad.field_violations]
        self.headers = headers
        self.http_status = http_status
        """None over gRPC."""


class Api(Protocol):
    """One way to the API."""

    called: set[str]
    """The RPCs that were called."""
    headers: dict[str, str]
    """Those of the last answer: initial metadata, or HTTP headers in lower case."""

    def call(self, request: Message, *, token: str | None) -> Any:
        """Call the RPC of this request; answers its response, the first one of a stream.

        Raises `ApiError`.
        """


def method_of(request: Message) -> MethodDescriptor:
    """The RPC that takes this request."""
    return METHODS[request.DESCRIPTOR.name.removesuffix("Request")]


@dataclass
class GrpcApi:
    """By gRPC."""

    channel: grpc.Channel
    called: set[str] = field(default_factory=set)
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, request: Message, *, token: str | None) -> Any:
        method = method_of(request)
        self.called.add(method.name)
        # The types of a channel know no messages but those of stubs.
        channel: Any = self.channel
        metadata = [] if token is None else [("authorization", f"Bearer {token}")]
        make = channel.unary_stream if method.server_streaming else channel.unary_unary
        call = make(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
        )
        try:
            if method.server_streaming:
                running = call(request, metadata=metadata, timeout=TIMEOUT)
                response = next(running)
                running.cancel()
            else:
                response, running = call.with_call(request, metadata=metadata, timeout=TIMEOUT)
            self.headers = _by_name(running.initial_metadata())
        except grpc.RpcError as error:
            failed = cast("grpc.Call", error)
            status = rpc_status.from_call(failed) or status_pb2.Status(code=failed.code().value[0])
            raise ApiError(status, _by_name(failed.trailing_metadata()), None) from None
        return response


@dataclass
class RestApi:
    """By REST."""

    address: tuple[str, int]
    called: set[str] = field(default_factory=set)
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, request: Message, *, token: str | None) -> Any:
        method = method_of(request)
        self.called.add(method.name)
        options: Any = method.GetOptions()
        rule: HttpRule = options.Extensions[annotations_pb2.http]
        verb, target, body = as_http(rule, request)
        headers = [("Accept", "application/json")]
        headers += [] if token is None else [("Authorization", f"Bearer {token}")]
        headers += [] if body is None else [("Content-Type", "application/json")]
        with Connection(self.address) as connection:
            connection.send(request_bytes(verb, target, host="api.localhost", headers=headers, body=body))
            with connection.head(verb) as response:
                self.headers = _by_name(response.getheaders())
                streams = method.server_streaming and response.status == 200
                text = response.readline() if streams else response.read()
                if response.status != 200:
                    raise ApiError(_status(text), self.headers, response.status)
        answer = json.loads(text)
        whole = {rule.response_body: answer} if rule.response_body else answer
        return json_format.ParseDict(whole, message_factory.GetMessageClass(method.output_type)())


def as_http(rule: HttpRule, request: Message) -> tuple[str, str, bytes | None]:
    """Verb, target and body of a call (google/api/http.proto)."""
    verb = cast("str", rule.WhichOneof("pattern"))
    fields = json_format.MessageToDict(request)

    def filled(match: re.Match[str]) -> str:
        *parents, name = [_camel(part) for part in match[1].split(".")]
        holder = fields
        for parent in parents:
            holder = holder[parent]
        return quote(holder.pop(name), safe="")

    path = re.sub(r"\{([a-z_.]+)\}", filled, getattr(rule, verb))
    body = None
    if rule.body == "*":
        body, fields = json.dumps(fields).encode(), {}
    elif rule.body:
        body = json.dumps(fields.pop(_camel(rule.body), {})).encode()
    query = urlencode(list(_query(fields)))
    return verb.upper(), f"{path}?{query}" if query else path, body


def _query(fields: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            yield name, each if isinstance(each, str) else json.dumps(each)


def _status(text: bytes) -> status_pb2.Status:
    # What it holds is packed as `Any`, and known since error_details_pb2 was imported.
    return json_format.Parse(text, status_pb2.Status())


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _by_name(pairs: Iterable[tuple[str, str | bytes]] | None) -> dict[str, str]:
    return {key.lower(): str(value) for key, value in pairs or ()}
