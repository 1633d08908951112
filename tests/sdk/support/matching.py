"""What a table expects of an answer, and the values that it names."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

_NAME = re.compile(r"\$\{([\w.]+)\}")


class MismatchError(AssertionError):
    """An answer is not what was expected."""


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """Return *template* with each `${name.field.0}` replaced: by the value itself where it stands alone."""
    if isinstance(template, dict):
        return {filled(key, values): filled(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(each, values) for each in template]
    if not isinstance(template, str):
        return template
    alone = _NAME.fullmatch(template)
    if alone:
        return _look_up(alone[1], values)
    return _NAME.sub(lambda match: str(_look_up(match[1], values)), template)


def _look_up(path: str, values: Any) -> Any:
    found = values
    for part in path.split("."):
        try:
            found = found[int(part)] if isinstance(found, list) else found[part]
        except (KeyError, IndexError, TypeError):
            raise MismatchError(f"${{{path}}}: there is no {part!r} in what was answered") from None
    return found


def check(answer: Any, expected: Any, where: str = "answer") -> None:
    """Raise `MismatchError` unless *answer* is as *expected*.

    Of an object, the fields that are named: `null` is one that is not there (or empty, as in ProtoJSON). A
    list has as many elements, each as expected. In a text, `*` is anything but nothing.
    """
    if isinstance(expected, dict):
        if not isinstance(answer, dict):
            raise MismatchError(f"{where} is {answer!r}, not an object")
        for key, value in expected.items():
            check(answer.get(key), value, f"{where}.{key}")
    elif isinstance(expected, list):
        found = [] if answer is None else answer
        if not isinstance(found, list) or len(found) != len(expected):
            raise MismatchError(f"{where} is {answer!r}, not {len(expected)} elements: {expected!r}")
        for index, value in enumerate(expected):
            check(found[index], value, f"{where}.{index}")
    elif isinstance(expected, str) and "*" in expected:
        if not isinstance(answer, str) or not answer or not fnmatchcase(answer, expected):
            raise MismatchError(f"{where} is {answer!r}, not like {expected!r}")
    elif (answer or None) != (expected or None):
        raise MismatchError(f"{where} is {answer!r}, not {expected!r}")
