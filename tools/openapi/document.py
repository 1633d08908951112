"""The whole OpenAPI document (https://spec.openapis.org/oas/v3.1.1.html)."""

from typing import Any, Final

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from doorward_server.gateway.descriptors import api_methods
from tools.openapi.comments import comments
from tools.openapi.operations import Operations, tag
from tools.openapi.schemas import Schemas

_ABOUT: Final = """\
The control plane of Doorward: apps, the tokens that open them, and who did what.

Each call carries a token, which permits what its role permits. An object outside a token's scope is answered
exactly as one that does not exist. Names are JSON's (`displayName`); those of the protos (`display_name`) are
read as well. A field or query parameter that does not exist is refused."""

_ERROR_SCHEMAS: Final = {
    "Status": {
        "type": "object",
        "description": "An error of the api: a `google.rpc.Status`.",
        "required": ["code", "message"],
        "properties": {
            "code": {"type": "integer", "format": "int32", "description": "The gRPC status."},
            "message": {"type": "string", "description": "What is wrong, for people."},
            "details": {
                "type": "array",
                "description": "By type: `google.rpc.ErrorInfo` with the `reason`, an ErrorReason; "
                "`google.rpc.BadRequest` with the fields that break a rule; `google.rpc.RetryInfo`.",
                "items": {
                    "type": "object",
                    "required": ["@type"],
                    "properties": {"@type": {"type": "string"}},
                    "additionalProperties": True,
                },
            },
        },
    },
    "Problem": {
        "type": "object",
        "description": "An error of the gateway, in the form of RFC 9457: the request did not reach the api.",
        "required": ["title", "status", "detail"],
        "properties": {
            "title": {"type": "string"},
            "status": {"type": "integer", "format": "int32", "description": "The HTTP status."},
            "detail": {"type": "string", "description": "What is wrong, for people."},
        },
    },
}

_COMPONENTS: Final[dict[str, Any]] = {
    "securitySchemes": {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token, `dw_` and 62 more characters.",
        }
    },
    "headers": {
        "RequestId": {
            "description": "The id of the call, as the audit and the server's log have it.",
            "schema": {"type": "string"},
        },
        "PolicyRevision": {
            "description": "The number of the change in the policy.",
            "schema": {"type": "string", "pattern": r"^\d+$"},
        },
        "Enforcement": {
            "description": "How far the change has reached: an Enforcement.",
            "schema": {"type": "string"},
        },
    },
    "responses": {
        "Error": {
            "description": "The call failed, and nothing was changed unless the error says so.",
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Status"}},
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
            },
        }
    },
}


def document(sources: FileDescriptorSet) -> dict[str, Any]:
    """The document of the API's RPCs, with the comments that *sources* hold."""
    texts = comments(sources)
    schemas = Schemas(texts)
    operations = Operations(schemas, texts)
    paths: dict[str, dict[str, Any]] = {}
    services = {}
    for method in api_methods():
        path, verb, operation = operations.operation(method)
        paths.setdefault(path, {})[verb] = operation
        services[method.containing_service.full_name] = method.containing_service
    tags = [{"name": tag(service), "description": texts[name]} for name, service in services.items()]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Doorward",
            "version": "v1",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": sorted(tags, key=lambda each: each["name"]),
        "paths": dict(sorted(paths.items())),
        "components": {**_COMPONENTS, "schemas": {**schemas.components, **_ERROR_SCHEMAS}},
    }
