"""A protoc plugin that makes Go's messages, for buf: protoc-gen-go, whose messages here print no secret.

Fields that hold one are marked `debug_redact` in protos/. Go's runtime prints them all the same: as a text
(`fmt`, `log`), as Go (`%#v`) and to `log/slog`. So the messages that have such a field, or one in a message
within them, are printed by the SDK's own package `internal/redact`.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator

from google.protobuf.compiler import plugin_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

_GENERATOR = ["go", "-C", "src/clients/go/tools", "tool", "protoc-gen-go"]

_STRING = """\
func (x *{name}) String() string {{
	return protoimpl.X.MessageStringOf(x)
}}
"""

_REDACTED = """\
func (x *{name}) String() string {{
	return redact.String(x)
}}

func (x *{name}) GoString() string {{
	return redact.GoString(x)
}}

func (x *{name}) LogValue() slog.Value {{
	return redact.LogValue(x)
}}
"""

_IMPORTS = 'import (\n\tredact "doorward.dev/go/internal/redact"\n'
_LOGGING = '\tslog "log/slog"\n'


def telling(files: Iterable[FileDescriptorProto]) -> frozenset[str]:
    """Return the full names of the messages that have a secret somewhere in them."""
    parts: dict[str, set[str]] = {}
    found: set[str] = set()
    for file in files:
        for name, message in _messages(f".{file.package}", file.message_type):
            parts[name] = {field.type_name for field in message.field if field.type_name}
            if any(field.options.debug_redact for field in message.field):
                found.add(name)
    while more := {name for name, within in parts.items() if within & found} - found:
        found |= more
    return frozenset(found)


def _messages(scope: str, messages: Iterable[DescriptorProto]) -> Iterator[tuple[str, DescriptorProto]]:
    for message in messages:
        name = f"{scope}.{message.name}"
        yield name, message
        yield from _messages(name, message.nested_type)


def redacted(source: str, names: frozenset[str]) -> str:
    """Return generated source in which the messages of these Go names print no secret."""
    changed = False
    for name in re.findall(r"^func \(x \*(\w+)\) String\(\)", source, re.MULTILINE):
        if name not in names:
            continue
        before = _STRING.format(name=name)
        if before not in source:
            raise ValueError(f"protoc-gen-go writes the String of {name} in another way: look at it again")
        source = source.replace(before, _REDACTED.format(name=name))
        changed = True
    if not changed:
        return source
    source = source.replace("import (\n", _IMPORTS, 1)
    return re.sub(r'^(?=\treflect "reflect"$)', _LOGGING, source, count=1, flags=re.MULTILINE)


def main() -> None:
    """Speak protoc's plugin protocol: a request on standard input, the response on standard output."""
    asked = sys.stdin.buffer.read()
    request = plugin_pb2.CodeGeneratorRequest.FromString(asked)
    made = subprocess.run(_GENERATOR, input=asked, stdout=subprocess.PIPE, check=True).stdout
    response = plugin_pb2.CodeGeneratorResponse.FromString(made)
    names = frozenset(name.rpartition(".")[2] for name in telling(request.proto_file))
    for file in response.file:
        file.content = redacted(file.content, names)
    sys.stdout.buffer.write(response.SerializeToString())


if __name__ == "__main__":
    main()
