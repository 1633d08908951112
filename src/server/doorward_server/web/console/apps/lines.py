"""Text fields that hold a list, one entry a line."""

from collections.abc import Mapping


class LinesError(Exception):
    """A line that is not an entry; the text says which, and never what is in it."""


def entries(text: str) -> list[str]:
    """The lines that are not empty, without the space around them."""
    return [line for each in text.splitlines() if (line := each.strip())]


def pairs(text: str, *, form: str) -> dict[str, str]:
    """The lines of a field as `key=value`; *form* is how a line should look. Raises `LinesError`."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        key, equals, value = line.partition("=")
        key = key.strip()
        if not equals or not key:
            raise LinesError(f"Line {number} must be {form}.")
        if key in found:
            raise LinesError(f"The key of line {number} stands above already.")
        found[key] = value.strip()
    return found


def written(given: Mapping[str, str]) -> str:
    """The field that `pairs` reads."""
    return "\n".join(f"{key}={value}" for key, value in sorted(given.items()))
