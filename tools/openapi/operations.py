"""Operations, from the `google.api.http` of the RPCs (google/api/http.proto)."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from google.protobuf.descriptor import (
    Descriptor,
    FieldDescriptor,
    MethodDescriptor,
    ServiceDescriptor,
)

from doorward_server.gateway.descriptors import http_rule
from tools.openapi.schemas import Schema, Schemas

_VARIABLE: Final = re.compile(r"\{([^}]+)\}")

_JSON: Final = "application/json"
_ERROR: Final = {"$ref": "#/components/responses/Error"}
_REQUEST_ID: Final = {"$ref": "#/components/headers/RequestId"}
_POLICY_HEADERS: Final = {
    "doorward-policy-revision": {"$ref": "#/components/headers/PolicyRevision"},
    "doorward-enforcement": {"$ref": "#/components/headers/Enforcement"},
}


class Operations:
    """Describes each RPC as the REST request that stands for it."""

    def __init__(self, schemas: Schemas, comments: Mapping[str, str]) -> None:
        self._schemas = schemas
        self._comments = comments

    def operation(self, method: MethodDescriptor) -> tuple[str, str, dict[str, Any]]:
        """Path, HTTP method and Operation Object of an RPC."""
        rule = http_rule(method.GetOptions())
        verb = rule.WhichOneof("pattern") or ""
        template: str = getattr(rule, verb)
        variables = _VARIABLE.findall(template)
        in_path = [_field(method.input_type, variable) for variable in variables]
        bound = {variable.partition(".")[0] for variable in variables}
        comment = self._comments[method.full_name]
        operation: dict[str, Any] = {
            "operationId": method.name[0].lower() + method.name[1:],
            "tags": [tag(method.containing_service)],
            "summary": comment.partition(". ")[0].removesuffix("."),
            "description": comment,
        }
        parameters = [self._in_path(field) for field in in_path]
        if rule.body != "*":
            bound.add(rule.body)
            parameters += [
                self._in_query(each) for each in method.input_type.fields if each.name not in bound
            ]
        if parameters:
            operation["parameters"] = parameters
        if rule.body:
            body = self._body(method.input_type, rule.body, bound, changes=verb == "patch")
            operation["requestBody"] = {"content": {_JSON: {"schema": body}}}
            if self._schemas.has_required(body):
                operation["requestBody"]["required"] = True
        operation["responses"] = {"200": self._answer(method, rule.response_body), "default": _ERROR}
        for variable, field in zip(variables, in_path, strict=True):
            template = template.replace(variable, field.json_name)
        return template, verb, operation

    def _in_path(self, field: FieldDescriptor) -> dict[str, Any]:
        return {
            "name": field.json_name,
            "in": "path",
            "required": True,
            "description": self._comments[field.full_name],
            "schema": {"type": "string", "minLength": 1},
        }

    def _in_query(self, field: FieldDescriptor) -> dict[str, Any]:
        schema = self._schemas.field(field)
        return {
            "name": field.json_name,
            "in": "query",
            "description": schema.pop("description"),
            "schema": schema,
        }

    def _body(self, request: Descriptor, body: str, bound: Collection[str], *, changes: bool) -> Schema:
        if body == "*":
            return self._schemas.message(request, without=bound)
        message = _message(request.fields_by_name[body])
        return self._schemas.changes(message) if changes else self._schemas.message(message)

    def _answer(self, method: MethodDescriptor, response_body: str) -> dict[str, Any]:
        message = method.output_type
        headers: dict[str, Any] = {"doorward-request-id": _REQUEST_ID}
        if "policy_update" in message.fields_by_name:
            headers |= _POLICY_HEADERS
        if response_body:
            message = _message(message.fields_by_name[response_body])
        text = self._comments[message.full_name]
        if method.server_streaming:
            text += " One JSON object a line, each as soon as it is there."
        content = {_JSON: {"schema": self._schemas.message(message)}}
        return {"description": text, "headers": headers, "content": content}


def tag(service: ServiceDescriptor) -> str:
    """What the operations of a service stand under."""
    name: str = service.name
    return name.removesuffix("Service")


def _field(message: Descriptor, path: str) -> FieldDescriptor:
    """The field that a path such as `app.app_id` leads to."""
    *outer, last = path.split(".")
    for name in outer:
        message = _message(message.fields_by_name[name])
    return message.fields_by_name[last]


def _message(field: FieldDescriptor) -> Descriptor:
    if field.message_type is None:
        raise TypeError(f"{field.full_name} is not a message")
    return field.message_type
