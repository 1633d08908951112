"""The public API as a descriptor set, which Envoy's JSON transcoder reads."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import FileDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodOptions
from google.rpc import error_details_pb2, status_pb2

from doorward.v1 import (
    app_service_pb2,
    audit_service_pb2,
    error_reason_pb2,
    replica_service_pb2,
    session_service_pb2,
    token_service_pb2,
)

_ROOTS = (
    app_service_pb2,
    audit_service_pb2,
    error_reason_pb2,
    replica_service_pb2,
    session_service_pb2,
    token_service_pb2,
    # A REST error is a google.rpc.Status, whose details are printed by their types.
    error_details_pb2,
    status_pb2,
)


def api_descriptors() -> FileDescriptorSet:
    """The files of `doorward.v1` and of its errors, each after those that it imports.

    Without `response_body`, which Envoy refuses; envoy/rest_answer.lua does what it asks for.
    """
    files: dict[str, FileDescriptor] = {}

    def visit(file: FileDescriptor) -> None:
        if file.name in files:
            return
        for dependency in file.dependencies:
            visit(dependency)
        files[file.name] = file

    for module in _ROOTS:
        visit(module.DESCRIPTOR)
    descriptors = FileDescriptorSet()
    for file in files.values():
        file.CopyToProto(descriptors.file.add())
    for proto in descriptors.file:
        for service in proto.service:
            for method in service.method:
                http_rule(method.options).ClearField("response_body")
    return descriptors


def api_methods() -> Iterator[MethodDescriptor]:
    """Every RPC of the public API."""
    for module in _ROOTS:
        for service in module.DESCRIPTOR.services_by_name.values():
            yield from service.methods


def unwrapped_methods() -> Mapping[str, list[str]]:
    """The methods whose REST answer is one field of their response: the field to the methods' gRPC paths."""
    methods = defaultdict(list)
    for method in api_methods():
        field = http_rule(method.GetOptions()).response_body
        if field:
            methods[field].append(f"/{method.containing_service.full_name}/{method.name}")
    return methods


def http_rule(options: MethodOptions) -> HttpRule:
    """The REST mapping of an RPC."""
    rule: HttpRule = options.Extensions[annotations_pb2.http]  # type: ignore[index]  # its stub has no types
    return rule
