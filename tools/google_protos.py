"""Copy the Google protos that ours import out of an installed wheel, to where buf finds them as a module.

The usual way, a dependency in buf.yaml, needs a schema registry on the network. The same files come with
googleapis-common-protos, which the generated code imports anyway.
"""

import re
import shutil
from importlib import metadata
from pathlib import Path

# What an error of the API carries: no proto of ours imports it, yet every client reads it.
ERROR_DETAILS = "google/rpc/error_details.proto"

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / ".protos" / "google"

# Files under google/protobuf are built into buf.
_IMPORT = re.compile(r'^import (?:public )?"(google/(?!protobuf/)[^"]+)";', re.MULTILINE)


def imports(sources: list[Path]) -> set[str]:
    """Return the Google files that the given protos import, such as ``google/api/http.proto``."""
    return {name for source in sources for name in _IMPORT.findall(source.read_text(encoding="utf-8"))}


def closure(wanted: set[str]) -> dict[str, Path]:
    """Return the named protos and what they import, directly or not: each name, and the installed file."""
    files = metadata.files("googleapis-common-protos") or []
    installed = {file.as_posix(): Path(str(file.locate())) for file in files if file.suffix == ".proto"}
    found: dict[str, Path] = {}
    while wanted:
        name = wanted.pop()
        if name not in installed:
            raise SystemExit(f"{name} is imported, but googleapis-common-protos does not have it")
        found[name] = installed[name]
        wanted = (wanted | imports([installed[name]])) - found.keys()
    return found


def main() -> None:
    """Make the folder again, with exactly what is needed."""
    needed = closure(imports(sorted(ROOT.glob("protos/**/*.proto"))) | {ERROR_DETAILS})
    shutil.rmtree(TARGET, ignore_errors=True)
    for name, file in sorted(needed.items()):
        copy = TARGET / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)


if __name__ == "__main__":
    main()
