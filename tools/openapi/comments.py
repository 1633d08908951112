"""The comments of the protos, by the full name of what they stand at."""

from collections.abc import Iterator, Mapping

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

Path = tuple[int, ...]

# Field numbers on the way from a file to an element (descriptor.proto, `SourceCodeInfo.Location.path`).
_MESSAGES, _ENUMS, _SERVICES = 4, 5, 6
_FIELDS, _NESTED, _NESTED_ENUMS, _ONEOFS = 2, 3, 4, 8
_VALUES, _METHODS = 2, 2


def comments(files: FileDescriptorSet) -> Mapping[str, str]:
    """Each element's leading comment, its lines joined into paragraphs; nothing for one without."""
    return {name: text for file in files.file for name, text in _of_file(file)}


def _of_file(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    texts = {
        tuple(location.path): _paragraphs(location.leading_comments)
        for location in file.source_code_info.location
        if location.leading_comments
    }
    for path, name in _elements(file):
        if path in texts:
            yield name, texts[path]


def _elements(file: FileDescriptorProto) -> Iterator[tuple[Path, str]]:
    for n, message in enumerate(file.message_type):
        yield from _message((_MESSAGES, n), file.package, message)
    for n, enum in enumerate(file.enum_type):
        yield from _enum((_ENUMS, n), file.package, enum)
    for n, service in enumerate(file.service):
        name = f"{file.package}.{service.name}"
        yield (_SERVICES, n), name
        for k, method in enumerate(service.method):
            yield (_SERVICES, n, _METHODS, k), f"{name}.{method.name}"


def _message(path: Path, scope: str, message: DescriptorProto) -> Iterator[tuple[Path, str]]:
    name = f"{scope}.{message.name}"
    yield path, name
    for n, field in enumerate(message.field):
        yield (*path, _FIELDS, n), f"{name}.{field.name}"
    for n, oneof in enumerate(message.oneof_decl):
        yield (*path, _ONEOFS, n), f"{name}.{oneof.name}"
    for n, nested in enumerate(message.nested_type):
        yield from _message((*path, _NESTED, n), name, nested)
    for n, enum in enumerate(message.enum_type):
        yield from _enum((*path, _NESTED_ENUMS, n), name, enum)


def _enum(path: Path, scope: str, enum: EnumDescriptorProto) -> Iterator[tuple[Path, str]]:
    name = f"{scope}.{enum.name}"
    yield path, name
    for n, value in enumerate(enum.value):
        yield (*path, _VALUES, n), f"{name}.{value.name}"


def _paragraphs(comment: str) -> str:
    blocks = comment.strip().split("\n\n")
    return "\n\n".join(" ".join(block.split()) for block in blocks)
