"""Make the generated code from protos/ and put each package where it belongs.

The public API, ``doorward.v1``, goes to each client. The other packages are internal and go to the server,
which cannot hold a second ``doorward`` package: ``doorward.policy.v1`` becomes ``doorward_server.policy.v1``,
and what imports it is rewritten. Descriptors, and so the names on the wire, stay as they are in protos/.

A language whose toolchain is not on this machine is left as it is, which is said; in CI it is an error.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tools.toolchains import TOOLCHAINS

ROOT = Path(__file__).resolve().parents[1]
SCRATCH = ROOT / ".protos"
CLIENTS = ROOT / "src" / "clients"

# Python package that protoc chose, the package it becomes, the source root that holds it.
PYTHON_PLACES = (
    ("doorward.v1", "doorward.v1", CLIENTS / "python"),
    ("doorward.policy.v1", "doorward_server.policy.v1", ROOT / "src" / "server"),
    ("doorward.extauthz.v1", "doorward_server.extauthz.v1", ROOT / "src" / "server"),
)

# Folder in the scratch folder of a language, and in its client.
OTHER_PLACES = {
    "go": (("doorward/v1", "doorward/v1"),),
    "typescript": (("doorward/v1", "src/gen/doorward/v1"), ("google/rpc", "src/gen/google/rpc")),
    "java": (("dev/doorward/v1", "src/main/java/dev/doorward/v1"),),
}


def relocate(text: str, package: str, place: str) -> str:
    """Return generated source whose imports and module names say `place` where they said `package`.

    Touches Python names alone (``from <package> import``, ``<package>.x_pb2``), never the serialized
    descriptor or the names of RPCs, which look alike.
    """
    name = re.escape(package)
    text = re.sub(rf"\b{name}(?= import )", place, text)
    return re.sub(rf"\b{name}(?=\.\w+_pb2\b)", place, text)


def install_python(package: str, place: str, root: Path) -> None:
    """Replace the package under `root` by the one just generated: nothing of a removed proto stays."""
    source = SCRATCH.joinpath("python", *package.split("."))
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


def install(language: str) -> None:
    """Replace a client's generated folders by those just generated."""
    for source, place in OTHER_PLACES[language]:
        target = CLIENTS / language / place
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(SCRATCH / language / source, target)


def languages() -> list[str]:
    """Return those that can be generated here, Python first; says what is missing."""
    found = ["python"]
    for language, toolchain in TOOLCHAINS.items():
        missing = toolchain.missing()
        if missing is None:
            found.append(language)
        elif os.environ.get("CI"):
            raise SystemExit(missing)
        else:
            print(f"left as it is: {missing}", file=sys.stderr)
    return found


def template(chosen: list[str]) -> Path:
    """Write the part of buf.gen.yaml whose output is of the chosen languages, and return its path."""
    whole = yaml.safe_load((ROOT / "buf.gen.yaml").read_text(encoding="utf-8"))
    whole["plugins"] = [plugin for plugin in whole["plugins"] if Path(plugin["out"]).name in chosen]
    path = SCRATCH / "buf.gen.yaml"
    path.write_text(yaml.safe_dump(whole), encoding="utf-8")
    return path


def main() -> None:
    """Generate everything again."""
    chosen = languages()
    for language in chosen[1:]:
        TOOLCHAINS[language].prepare()
    buf = ROOT / ".venv" / "bin" / "buf"
    subprocess.run([buf, "generate", "--template", template(chosen)], cwd=ROOT, check=True)
    for package, place, root in PYTHON_PLACES:
        install_python(package, place, root)
    for language in chosen[1:]:
        install(language)


if __name__ == "__main__":
    main()
