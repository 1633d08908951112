"""The reference of errors is the one in the protos."""

import re
from pathlib import Path

from doorward.v1.error_reason_pb2 import ErrorReason

ROOT = Path(__file__).resolve().parents[3]
ROW = re.compile(r"^\| `(ERROR_REASON_[A-Z_]+)` \| ([A-Z_]+) \| \S", re.MULTILINE)
VALUE = re.compile(r"((?:^ *//[^\n]*\n)+) *(ERROR_REASON_[A-Z_]+) = [0-9]+;", re.MULTILINE)
STATUS = re.compile(r"Status\s([A-Z_]+)\.")


def declared() -> dict[str, str]:
    """Each reason in the protos, with the status that its comment names."""
    text = (ROOT / "protos" / "doorward" / "v1" / "error_reason.proto").read_text(encoding="utf-8")
    found = {}
    for comment, name in VALUE.findall(text):
        words = " ".join(line.strip().removeprefix("//") for line in comment.splitlines())
        status = STATUS.search(re.sub(r"\s+", " ", words))
        if status:
            found[name] = status[1]
    return found


def test_every_reason_is_documented() -> None:
    """docs/reference/errors.md has each reason once, with the status of the protos' comments."""
    rows = ROW.findall((ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8"))
    assert len(rows) == len(dict(rows))
    assert dict(rows) == declared()
    assert dict(rows).keys() == set(ErrorReason.keys()) - {"ERROR_REASON_UNSPECIFIED"}
