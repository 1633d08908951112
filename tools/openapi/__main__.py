"""`python -m tools.openapi`: write the document to where the gateway serves it from."""

import json
import subprocess
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tools.openapi.document import document

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "src" / "server" / "doorward_server" / "gateway" / "openapi.json"


def sources() -> FileDescriptorSet:
    """The protos with their comments."""
    buf = ROOT / ".venv" / "bin" / "buf"
    command = [str(buf), "build", "--as-file-descriptor-set", "--output", "-"]
    built = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return FileDescriptorSet.FromString(built.stdout)


def main() -> None:
    """Make it again."""
    text = json.dumps(document(sources()), indent=2, ensure_ascii=False)
    TARGET.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
