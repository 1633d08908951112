"""A hook of MkDocs: links from the documentation to the rest of the repository.

On a forge they lead to the file; the site has only what is under docs/, so there a file is named by its path.
"""

import re
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
DOCS: Final = ROOT / "docs"

_LINK: Final = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """What a page says, with the links out of docs/ replaced."""
    folder = (DOCS / page.file.src_uri).parent

    def replace(link: re.Match[str]) -> str:
        text, target = link[1], link[2].partition("#")[0]
        if not target or ":" in target:
            return link[0]
        path = (folder / target).resolve()
        if path.is_relative_to(DOCS) or not path.exists():
            # What is missing is left for MkDocs to complain about.
            return link[0]
        name = f"`{path.relative_to(ROOT)}`"
        return name if text.strip("`") in {path.name, name.strip("`")} else f"{text} ({name})"

    return _LINK.sub(replace, markdown)
