"""The blocks of code in the documentation."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

_FENCE: Final = re.compile(r"^```(\w*)\s*$")
_NOT_RUN: Final = re.compile(r"^<!-- not run: (.+) -->$")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block."""

    page: Path
    line: int
    """Of the fence, from 1."""
    language: str
    text: str
    not_run: str | None
    """Why nobody runs it, as the line before says: `<!-- not run: why -->`."""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every page of the documentation, and the README."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, in their order."""
    lines = page.read_text("utf-8").splitlines()
    opened: int | None = None
    for number, line in enumerate(lines):
        fence = _FENCE.match(line)
        if fence is None:
            continue
        if opened is None:
            opened = number
            continue
        language = lines[opened].removeprefix("```").strip()
        text = "\n".join(lines[opened + 1 : number]) + "\n"
        yield Block(page, opened + 1, language, text, _reason(lines[:opened]))
        opened = None


def _reason(before: list[str]) -> str | None:
    said = next((line for line in reversed(before) if line.strip()), "")
    found = _NOT_RUN.match(said)
    return None if found is None else found[1]
