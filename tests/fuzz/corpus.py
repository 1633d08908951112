"""The committed corpus: a folder for each target, and in it a file for each input."""

from pathlib import Path
from typing import Final

NAMES: Final = ("hosts", "cookies", "credentials", "selectors", "paths", "requests", "programs", "stream")
"""The targets. Here, because importing a target imports what it fuzzes."""

CORPUS: Final = Path(__file__).with_name("corpus")


def inputs(name: str) -> list[Path]:
    """The committed inputs of a target."""
    return sorted((CORPUS / name).iterdir())
