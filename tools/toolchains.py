"""What the languages of the SDKs need on a machine, and where it comes from."""

import fcntl
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLIENTS = ROOT / "src" / "clients"
TOOLS = ROOT / ".tools"


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """The commands that build one language's SDK."""

    name: str
    commands: tuple[str, ...]
    source: str
    """Where they come from, for people."""
    prepare: Callable[[], None] = lambda: None
    """Brings what generates the code, in the version that the SDK pins."""

    def missing(self) -> str | None:
        """Return what to install; None when all of it is there."""
        absent = [command for command in self.commands if shutil.which(command) is None]
        if not absent:
            return None
        return f"no {' and no '.join(absent)} on this machine, which the {self.name} SDK needs: {self.source}"


def _npm_ci() -> None:
    """Bring the packages that the lock names, unless they are there."""
    folder = CLIENTS / "typescript"
    lock, brought = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
    with _alone("npm"):
        if not brought.exists() or brought.stat().st_mtime < lock.stat().st_mtime:
            subprocess.run(["npm", "ci"], cwd=folder, check=True, stdout=sys.stderr)
            brought.touch()


def _protoc() -> None:
    """Bring the protoc of the version that the Java SDK depends on, unless it is there."""
    pom = (CLIENTS / "java" / "pom.xml").read_text(encoding="utf-8")
    (version,) = re.findall(r"<protobuf\.version>([\d.]+)<", pom)
    system = {"Linux": "linux", "Darwin": "osx"}[platform.system()]
    machine = {"arm64": "aarch_64", "aarch64": "aarch_64"}.get(platform.machine(), "x86_64")
    program = TOOLS / f"protoc-{version}-{system}-{machine}.exe"
    link = TOOLS / "protoc"
    with _alone("protoc"):
        if not program.exists():
            artifact = f"com.google.protobuf:protoc:{version}:exe:{system}-{machine}"
            copy = ["dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={TOOLS}"]
            maven = ["mvn", "--quiet", "--batch-mode", *copy]
            subprocess.run(maven, cwd=CLIENTS / "java", check=True, stdout=sys.stderr)
            program.chmod(0o755)
        if not link.is_symlink() or link.readlink() != Path(program.name):
            link.unlink(missing_ok=True)
            link.symlink_to(program.name)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Keep others that would do the same at the same time waiting: tests run side by side."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


TOOLCHAINS = {
    "go": Toolchain(
        name="Go",
        commands=("go", "gofmt"),
        source="Go 1.25 or newer; Debian and Ubuntu have the package golang-go",
    ),
    "typescript": Toolchain(
        name="TypeScript",
        commands=("node", "npm"),
        source="Node.js 20 or newer; Debian and Ubuntu have the packages nodejs and npm",
        prepare=_npm_ci,
    ),
    "java": Toolchain(
        name="Java",
        commands=("java", "javac", "mvn"),
        source="a JDK 17 or newer and Maven; Debian and Ubuntu have default-jdk-headless and maven",
        prepare=_protoc,
    ),
}
"""By the folder under `src/clients`. Python's needs nothing but what `make install` brings."""
