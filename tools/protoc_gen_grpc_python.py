"""A protoc plugin that makes gRPC stubs, for buf.

grpcio-tools has the generator inside its own protoc and ships no plugin that buf could start. So this one
takes a plugin's request, hands it to that protoc as a descriptor set, and answers with the files that come
out. Protos without a service give no file, where protoc would write an empty one.
"""

import sys
import tempfile
from pathlib import Path

from google.protobuf.compiler import plugin_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc


def generate(request: plugin_pb2.CodeGeneratorRequest) -> plugin_pb2.CodeGeneratorResponse:
    """Return the ``_pb2_grpc.py`` of each requested file that defines a service."""
    response = plugin_pb2.CodeGeneratorResponse(
        supported_features=plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    )
    wanted = set(request.file_to_generate)
    with_services = [file.name for file in request.proto_file if file.name in wanted and file.service]
    if not with_services:
        return response
    with tempfile.TemporaryDirectory() as scratch:
        descriptors = Path(scratch, "descriptors.binpb")
        descriptors.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
        output = Path(scratch, "output")
        output.mkdir()
        arguments = ["protoc", f"--descriptor_set_in={descriptors}", f"--grpc_python_out={output}"]
        if protoc.main([*arguments, *with_services]) != 0:
            response.error = "protoc failed; what it said is above"
            return response
        for file in sorted(output.rglob("*.py")):
            name = file.relative_to(output).as_posix()
            response.file.add(name=name, content=file.read_text(encoding="utf-8"))
    return response


def main() -> None:
    """Speak protoc's plugin protocol: a request on standard input, the response on standard output."""
    request = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    sys.stdout.buffer.write(generate(request).SerializeToString())


if __name__ == "__main__":
    main()
