"""JSON Schemas of messages and enums, as protobuf maps them (https://protobuf.dev/programming-guides/json/)."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

Schema = dict[str, Any]

_WELL_KNOWN: Final[Mapping[str, Schema]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    # A number of seconds with at most nine decimals.
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?\d{1,12}(\.\d{1,9})?s$"},
    # Paths in the form of JSON's names, with commas between them.
    "google.protobuf.FieldMask": {"type": "string"},
}
_INT32: Final[Schema] = {"type": "integer", "format": "int32"}
# JSON's numbers cannot hold all of them.
_INT64: Final[Schema] = {"type": "string", "format": "int64", "pattern": r"^-?\d{1,19}$"}
_SCALARS: Final[Mapping[int, Schema]] = {
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_STRING: {"type": "string"},
}


class Schemas:
    """Collects the schemas that a document refers to, as it refers to them."""

    def __init__(self, comments: Mapping[str, str]) -> None:
        self._comments = comments
        self._components: dict[str, Schema] = {}

    @property
    def components(self) -> Mapping[str, Schema]:
        """The schemas by name, in the order of the names."""
        return dict(sorted(self._components.items()))

    def message(self, message: Descriptor, *, without: Collection[str] = ()) -> Schema:
        """A reference to a message's schema, *without* some of its fields."""
        name = message.name
        if name not in self._components:
            self._components[name] = self._object(message, required=True, without=without)
        return _reference(name)

    def changes(self, message: Descriptor) -> Schema:
        """A reference to the schema of a message of which only some fields are given, to change them."""
        name = f"{message.name}Changes"
        if name not in self._components:
            self._components[name] = self._object(message, required=False)
        return _reference(name)

    def has_required(self, reference: Schema) -> bool:
        """Whether what a reference is to has fields that must be there."""
        return "required" in self._components[reference["$ref"].rpartition("/")[2]]

    def field(self, field: FieldDescriptor) -> Schema:
        """The schema of what stands in a field."""
        schema = self._value(field)
        if not schema.get("description"):
            schema = {**schema, "description": self._comments[field.full_name]}
        behavior = _behavior(field)
        if field_behavior_pb2.OUTPUT_ONLY in behavior:
            schema["readOnly"] = True
        return schema

    def _object(self, message: Descriptor, *, required: bool, without: Collection[str] = ()) -> Schema:
        schema: Schema = {"type": "object", "description": self._description(message)}
        fields = [field for field in message.fields if field.name not in without]
        names = [field.json_name for field in fields if _is_required(field)]
        if required and names:
            schema["required"] = names
        schema["properties"] = {field.json_name: self.field(field) for field in fields}
        return schema

    def _description(self, message: Descriptor) -> str:
        """The comment, and of each choice between fields its own."""
        texts = [self._comments[message.full_name]]
        for oneof in message.oneofs:
            fields = " or ".join(f"`{field.json_name}`" for field in oneof.fields)
            texts.append(f"{fields}: {self._comments[oneof.full_name]}")
        return "\n\n".join(texts)

    def _value(self, field: FieldDescriptor) -> Schema:
        message = field.message_type
        if message is not None and message.GetOptions().map_entry:
            values = self._single(message.fields_by_name["value"])
            return {"type": "object", "additionalProperties": values}
        if field.is_repeated:
            return {"type": "array", "items": self._single(field)}
        return self._single(field)

    def _single(self, field: FieldDescriptor) -> Schema:
        if field.message_type is not None:
            known = _WELL_KNOWN.get(field.message_type.full_name)
            return self.message(field.message_type) if known is None else dict(known)
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        return dict(_SCALARS[field.type])

    def _enum(self, enum: EnumDescriptor) -> Schema:
        values = "\n".join(
            f"- `{value.name}`: {self._comments[f'{enum.full_name}.{value.name}']}" for value in enum.values
        )
        self._components[enum.name] = {
            "type": "string",
            "description": f"{self._comments[enum.full_name]}\n\n{values}",
            "enum": [value.name for value in enum.values],
        }
        return _reference(enum.name)


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _behavior(field: FieldDescriptor) -> list[int]:
    behavior: list[int] = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]  # type: ignore[index]  # its stub has no types
    return behavior


def _is_required(field: FieldDescriptor) -> bool:
    return field_behavior_pb2.REQUIRED in _behavior(field)
