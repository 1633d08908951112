"""Copy the Google protos that ours import out of an installed wheel, to where buf finds them as a module.

The usual way, a dependency in buf.yaml, needs a schema registry on the network. The same files come with
googleapis-common-protos, which the generated code imports anyway.
"""

import re
import shutil
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / ".protos" / "google"

# Files under google/protobuf are built into buf.
_IMPORT = re.compile(r'^import (?:public )?"(google/(?!protobuf/)[^"]+)";', re.MULTILINE)


def imports(sources: list[Path]) -> set[str]:
    """Return the Google files that the given protos import, such as ``google/api/http.proto``."""
    return {name for source in sources for name in _IMPORT.findall(source.read_text(encoding="utf-8"))}


def closure(sources: list[Path]) -> dict[str, Path]:
    """Return what the given protos import, directly or not: the name in an import, and the installed file."""
    files = metadata.files("googleapis-common-protos") or []
    installed = {file.as_posix(): Path(str(file.locate())) for file in files if file.suffix == ".proto"}
    found: dict[str, Path] = {}
    wanted = imports(sources)
    while wanted:
        name = wanted.pop()
        if name not in installed:
            raise SystemExit(f"{name} is imported, but googleapis-common-protos does not have it")
        found[name] = installed[name]
        wanted |= imports([installed[name]]) - found.keys()
    return found


def main() -> None:
    """Make the folder again, with exactly what is needed."""
    needed = closure(sorted(ROOT.glob("protos/**/*.proto")))
    shutil.rmtree(TARGET, ignore_errors=True)
    for name, file in sorted(needed.items()):
        copy = TARGET / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)


if __name__ == "__main__":
    main()
