"""What envoy/rest_body.lua needs to know of the API, to refuse a body with a field that does not exist."""

import re

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from doorward_server.gateway.descriptors import api_methods, http_rule

_LUA_MAGIC = re.compile(r"([-^$()%.\[\]*+?])")
_VARIABLE = re.compile(r"\{[^}]*\}")


def rest_bodies() -> list[dict[str, str]]:
    """Where the API takes a body: the method, a Lua pattern of the path, and the name of the body's type."""
    found = []
    for method in api_methods():
        rule = http_rule(method.GetOptions())
        if rule.body:
            verb = rule.WhichOneof("pattern") or ""
            body = _body(method.input_type, rule.body)
            found.append(
                {"method": verb.upper(), "path": _lua_pattern(getattr(rule, verb)), "message": body.full_name}
            )
    return found


def rest_messages() -> dict[str, dict[str, str]]:
    """Each type that a body may hold: the names of its fields in JSON, to what stands there.

    That is the name of a type, or nothing for a value or a map.
    """
    messages: dict[str, dict[str, str]] = {}

    def visit(message: Descriptor) -> None:
        if message.full_name in messages:
            return
        fields = messages[message.full_name] = {}
        for field in message.fields:
            nested = _nested(field)
            # Both names are JSON's: https://protobuf.dev/programming-guides/json/
            fields[field.json_name] = fields[field.name] = "" if nested is None else nested.full_name
            if nested is not None:
                visit(nested)

    for method in api_methods():
        rule = http_rule(method.GetOptions())
        if rule.body:
            visit(_body(method.input_type, rule.body))
    return messages


def _body(request: Descriptor, body: str) -> Descriptor:
    message = request if body == "*" else request.fields_by_name[body].message_type
    if message is None:
        raise TypeError(f"the body of {request.full_name} is not a message")
    return message


def _nested(field: FieldDescriptor) -> Descriptor | None:
    """The message that the field holds, or each of its elements; None for a value or a map."""
    message = field.message_type
    # A Timestamp, Duration or FieldMask is a string in JSON.
    if message is None or message.file.package == "google.protobuf" or message.GetOptions().map_entry:
        return None
    return message


def _lua_pattern(template: str) -> str:
    """A path such as `/v1/apps/{app_id}:start` as a Lua pattern for the whole path."""
    literals = [_LUA_MAGIC.sub(r"%\1", literal) for literal in _VARIABLE.split(template)]
    return "^" + "[^/]+".join(literals) + "$"
