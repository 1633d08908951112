"""The decision table in the documentation is the one in the code."""

import re
from pathlib import Path

from doorward_server.domain.decision import Reason

PAGE = Path(__file__).resolve().parents[3] / "docs" / "decision.md"
ROW = re.compile(r"^\| ([A-Z]+) \| `([A-Z_]+)` \| ([0-9]{3}) \|", re.MULTILINE)


def test_every_reason_is_documented() -> None:
    """The table has each reason once, with the rule and the HTTP status that it has in the code."""
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    documented = {reason: (rule, int(status)) for rule, reason, status in rows}
    assert len(rows) == len(documented)
    assert documented == {each.name: (each.rule.name, each.http_status) for each in Reason}


def test_no_other_reason_is_documented() -> None:
    """Whatever the page names in the form of a reason is one."""
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", PAGE.read_text(encoding="utf-8")))
    assert named <= {each.name for each in Reason}
