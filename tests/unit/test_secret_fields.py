"""Which fields of the public API hold a secret, as protos/ marks them, and what becomes of the mark in Go."""

from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from doorward.v1 import app_pb2, app_service_pb2, session_service_pb2, token_pb2, token_service_pb2
from tools import protoc_gen_go

FILES = (app_pb2, app_service_pb2, session_service_pb2, token_pb2, token_service_pb2)


def fields() -> Iterator[FieldDescriptor]:
    """Every field of every message."""
    left: list[Descriptor] = [
        each for file in FILES for each in file.DESCRIPTOR.message_types_by_name.values()
    ]
    while left:
        message = left.pop()
        left += message.nested_types
        yield from message.fields


def test_whatever_holds_a_secret_is_marked() -> None:
    """And nothing else is: a mark is what the SDKs go by when they print a message."""
    marked = {field.full_name for field in fields() if field.GetOptions().debug_redact}
    assert marked == {
        "doorward.v1.CreateTokenResponse.secret",
        "doorward.v1.RegenerateTokenResponse.secret",
        "doorward.v1.CreateSessionResponse.credential",
        "doorward.v1.ProcessSource.env",
    }
    named = {
        field.full_name for field in fields() if field.name in {"secret", "credential", "env", "password"}
    }
    assert named == marked


def test_what_has_a_secret_within_it_is_known() -> None:
    """However deep it is; and what merely has the same fields beside it is not."""
    protos = []
    for file in FILES:
        file.DESCRIPTOR.CopyToProto(proto := FileDescriptorProto())
        protos.append(proto)
    found = {name.rpartition(".")[2] for name in protoc_gen_go.telling(protos)}
    assert {"CreateTokenResponse", "ProcessSource", "AppSpec", "App", "ListAppsResponse"} <= found
    assert not {"Token", "AppStatus", "GetTokenResponse", "ExternalSource", "EnvEntry"} & found


def test_a_generator_that_writes_otherwise_is_noticed() -> None:
    """Rather than that a secret is printed again."""
    source = "func (x *Secretive) String() string {\n\treturn another.Way(x)\n}\n"
    with pytest.raises(ValueError, match="Secretive in another way"):
        protoc_gen_go.redacted(source, frozenset({"Secretive"}))
    assert protoc_gen_go.redacted(source, frozenset({"Other"})) == source
