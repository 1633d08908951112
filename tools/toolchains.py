"""What the languages of the SDKs need on a machine, and where it comes from."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass


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


TOOLCHAINS = {
    "go": Toolchain(
        name="Go",
        commands=("go", "gofmt"),
        source="Go 1.25 or newer; Debian and Ubuntu have the package golang-go",
    ),
}
"""By the folder under `src/clients`. Python's needs nothing but what `make install` brings."""
