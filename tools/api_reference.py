"""Writes docs/reference/api.md, all that the API has, from its protos: `python -m tools.api_reference`."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from google.protobuf.descriptor import (
    Descriptor,
    EnumDescriptor,
    FieldDescriptor,
    FileDescriptor,
    MethodDescriptor,
)

from doorward_server.gateway.descriptors import api_methods, http_rule
from tools.openapi.__main__ import sources
from tools.openapi.comments import comments

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "reference" / "api.md"
PACKAGE: Final = "doorward.v1"

_HEAD: Final = """\
# The API

The package `doorward.v1`, as its protos describe it. Over gRPC the methods have the names below; over REST,
on the API's host, each has the request line that follows its description, and `/openapi.json` there describes
them for programs. Every call carries a token, `Authorization: Bearer dw_…`. What can go wrong:
[errors](errors.md).

Written by `make generate`.
"""
_SCALARS: Final = {
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_STRING: "string",
}


def render(texts: Mapping[str, str]) -> str:
    """The whole page. *texts*: the comments of the protos, by full name."""
    return "\n".join([_HEAD, *(part for file in _files() for part in _Writer(texts).file(file))])


class _Writer:
    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def file(self, file: FileDescriptor) -> Iterator[str]:
        for service in file.services_by_name.values():
            yield f"## {service.name}\n\n{self._texts[service.full_name]}\n"
            for method in service.methods:
                yield self._method(method)
        if not file.services_by_name:
            title = Path(file.name).stem.replace("_", " ").capitalize()
            yield f"## {title}: messages and enums\n"
        for message in file.message_types_by_name.values():
            yield self._message(message)
        for enum in file.enum_types_by_name.values():
            yield self._enum(enum)

    def _method(self, method: MethodDescriptor) -> str:
        rule = http_rule(method.GetOptions())
        verb = rule.WhichOneof("pattern") or ""
        stream = "a stream of " if method.server_streaming else ""
        return (
            f"### {method.name}\n\n{self._texts[method.full_name]}\n\n"
            f"`{verb.upper()} {getattr(rule, verb)}`\n\n"
            f"Takes {_link(method.input_type)}, answers {stream}{_link(method.output_type)}.\n"
        )

    def _message(self, message: Descriptor) -> str:
        text = f"### {message.name}\n\n{self._texts[message.full_name]}\n"
        if not message.fields:
            return text
        rows = [f"| `{field.name}` | {_type(field)} | {self._meaning(field)} |" for field in message.fields]
        return "\n".join((text, "| field | type | |", "| --- | --- | --- |", *rows, ""))

    def _meaning(self, field: FieldDescriptor) -> str:
        text = _cell(self._texts[field.full_name])
        choice = field.containing_oneof
        return text if choice is None else f"{text} One of `{choice.name}`."

    def _enum(self, enum: EnumDescriptor) -> str:
        text = f"### {enum.name}\n\n{self._texts[enum.full_name]}\n"
        rows = [
            f"| `{value.name}` | {value.number} | {_cell(self._texts[f'{enum.full_name}.{value.name}'])} |"
            for value in enum.values
        ]
        return "\n".join((text, "| value | number | |", "| --- | --- | --- |", *rows, ""))


def _files() -> list[FileDescriptor]:
    """The files of the package, those with a service first."""
    found: dict[str, FileDescriptor] = {}

    def visit(file: FileDescriptor) -> None:
        if file.package == PACKAGE and file.name not in found:
            found[file.name] = file
            for each in file.dependencies:
                visit(each)

    for method in api_methods():
        visit(method.containing_service.file)
    return sorted(found.values(), key=lambda file: (not file.services_by_name, file.name))


def _type(field: FieldDescriptor) -> str:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        key, value = message.fields_by_name["key"], message.fields_by_name["value"]
        return f"map of {_type(key)} to {_type(value)}"
    named = message or field.enum_type
    name = f"`{_SCALARS[field.type]}`" if named is None else _link(named)
    return f"list of {name}" if field.is_repeated else name


def _link(named: Descriptor | EnumDescriptor) -> str:
    if named.file.package != PACKAGE:
        return f"`{named.full_name}`"
    return f"[{named.name}](#{named.name.lower()})"


def _cell(text: str) -> str:
    """What fits into a cell of a table; literal examples are the protos' own."""
    prose = re.split(r"\n\n|(?<=\.) (?=\{ \")", text)[0]
    return prose.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(render(comments(sources())), encoding="utf-8")
