"""The OpenAPI document, as made from the protos."""

import json
from pathlib import Path
from typing import Any

import pytest

from doorward_server import gateway
from doorward_server.gateway.descriptors import api_methods

DOCUMENT: dict[str, Any] = json.loads((Path(gateway.__file__).parent / "openapi.json").read_text("utf-8"))
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation for path in DOCUMENT["paths"].values() for operation in path.values()
}
SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]


def test_every_rpc_is_an_operation() -> None:
    """None is missing, and each says what it does."""
    names = {method.name[0].lower() + method.name[1:] for method in api_methods()}
    assert OPERATIONS.keys() == names
    assert all(operation["description"] for operation in OPERATIONS.values())


def test_a_resource_is_answered_alone() -> None:
    """As `response_body` has it: the app, and not a message around it."""
    answer = OPERATIONS["getApp"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/App"}


def test_what_is_in_the_path_or_the_body_is_no_parameter() -> None:
    """Each field of a request has one place."""
    places = {each["name"]: each["in"] for each in OPERATIONS["updateApp"]["parameters"]}
    assert places == {"appId": "path", "updateMask": "query"}
    assert SCHEMAS["StopAppRequest"]["properties"].keys() == {"etag"}


def test_a_change_needs_no_field() -> None:
    """To create an app three fields are required, to change one none is."""
    assert SCHEMAS["App"]["required"] == ["displayName", "region", "spec"]
    assert "required" not in SCHEMAS["AppChanges"]
    assert OPERATIONS["createApp"]["requestBody"]["required"]
    assert "required" not in OPERATIONS["updateApp"]["requestBody"]


def test_values_have_the_form_of_protobufs_json() -> None:
    """Times and durations are strings, and so are numbers that JSON cannot hold."""
    assert SCHEMAS["App"]["properties"]["createTime"]["format"] == "date-time"
    assert SCHEMAS["App"]["properties"]["createTime"]["readOnly"]
    assert SCHEMAS["PolicyUpdate"]["properties"]["revision"]["type"] == "string"
    assert SCHEMAS["App"]["properties"]["labels"]["additionalProperties"] == {"type": "string"}
    assert "ROLE_READ_ONLY" in SCHEMAS["Role"]["enum"]


@pytest.mark.parametrize("name", ["updateApp", "stopApp", "deleteToken", "regenerateToken"])
def test_changes_of_the_policy_tell_their_revision(name: str) -> None:
    """In headers, also where the body is the resource alone."""
    assert "doorward-policy-revision" in OPERATIONS[name]["responses"]["200"]["headers"]


def test_every_reference_is_to_something() -> None:
    """There is no schema, header or answer missing."""

    def references(node: object) -> set[str]:
        if isinstance(node, dict):
            found = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return found.union(*(references(value) for value in node.values()))
        return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()

    for reference in references(DOCUMENT):
        place: Any = DOCUMENT
        for key in reference.removeprefix("#/").split("/"):
            place = place[key]
        assert place
