"""The page about faults says what is tested."""

import re
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::(\w+)`(?: \(`(\w+)`\))?")


def test_each_row_names_a_test_that_there_is() -> None:
    """Every test that the page names is there, with the fault that it names."""
    page = (_ROOT / "docs" / "faults.md").read_text()
    named = _NAMED.findall(page)
    assert len(named) == page.count("::")
    for file, test, fault in named:
        code = (_ROOT / file).read_text()
        assert re.search(rf"^(async )?def {test}\(|^{test} = ", code, re.MULTILINE), f"{file}::{test}"
        assert fault in code
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    assert all("::" in row or row.startswith("| fault |") for row in rows)
