"""What the languages of the SDKs need on a machine, and where it comes from."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CLIENTS = Path(__file__).resolve().parents[1] / "src" / "clients"


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
    if not brought.exists() or brought.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, stdout=sys.stderr)
        brought.touch()


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
}
"""By the folder under `src/clients`. Python's needs nothing but what `make install` brings."""
