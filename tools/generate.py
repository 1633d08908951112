"""Make the Python code from protos/ and put each package where it belongs.

``doorward.v1`` goes to the client under its own name. The others are internal and go to the server, which
cannot hold a second ``doorward`` package: ``doorward.policy.v1`` becomes ``doorward_server.policy.v1``, and
what imports it is rewritten. Descriptors, and so the names on the wire, stay as they are in protos/.
"""

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRATCH = ROOT / ".protos" / "python"

# Python package that protoc chose, the package it becomes, the source root that holds it.
PLACES = (
    ("doorward.v1", "doorward.v1", ROOT / "src" / "clients" / "python"),
    ("doorward.policy.v1", "doorward_server.policy.v1", ROOT / "src" / "server"),
    ("doorward.extauthz.v1", "doorward_server.extauthz.v1", ROOT / "src" / "server"),
)


def relocate(text: str, package: str, place: str) -> str:
    """Return generated source whose imports and module names say `place` where they said `package`.

    Touches Python names alone (``from <package> import``, ``<package>.x_pb2``), never the serialized
    descriptor or the names of RPCs, which look alike.
    """
    name = re.escape(package)
    text = re.sub(rf"\b{name}(?= import )", place, text)
    return re.sub(rf"\b{name}(?=\.\w+_pb2\b)", place, text)


def install(package: str, place: str, root: Path) -> None:
    """Replace the package under `root` by the one just generated: nothing of a removed proto stays."""
    source = SCRATCH.joinpath(*package.split("."))
    target = root.joinpath(*place.split("."))
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    docstring = f'"""Generated from the protos of `{package}`."""\n'
    (target / "__init__.py").write_text(docstring, encoding="utf-8")
    for file in sorted(source.glob("*.py*")):
        if not file.with_suffix(".py").exists():
            continue  # a stub of the gRPC module that a proto without services does not have
        text = relocate(file.read_text(encoding="utf-8"), package, place)
        (target / file.name).write_text(text, encoding="utf-8")


def main() -> None:
    """Generate everything again."""
    subprocess.run([ROOT / ".venv" / "bin" / "buf", "generate"], cwd=ROOT, check=True)
    for package, place, root in PLACES:
        install(package, place, root)


if __name__ == "__main__":
    main()
