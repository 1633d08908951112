"""How a request is written in a table of cases: as text with placeholders, filled in when it is sent.

`<token>` is a value of the target. `<upper X>`, `<title X>`, `<underscored X>`, `<base64 X>`, `<escaped X>`
(each byte as `%hh`) and `<times N X>` are what they say of X, in which placeholders may stand. Every
character is one byte (latin-1).
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Final

_INNERMOST: Final = re.compile(r"<([a-z][a-z0-9-]*)(?: ([^<>]*))?>")
_NAMES: Final = re.compile(r"<([a-z][a-z0-9-]*)[ >]")


def _times(text: str) -> str:
    count, _, what = text.partition(" ")
    return int(count) * what


_FUNCTIONS: Final[Mapping[str, Callable[[str], str]]] = {
    "upper": str.upper,
    "title": str.title,
    "underscored": lambda text: text.replace("-", "_"),
    "base64": lambda text: b64encode(text.encode("latin-1")).decode(),
    "escaped": lambda text: "".join(f"%{ord(sign):02x}" for sign in text),
    "times": _times,
}


def fill(template: str, values: Mapping[str, str]) -> str:
    """The text itself; raises `KeyError` for a placeholder that has no value."""

    def replace(match: re.Match[str]) -> str:
        name, argument = match.groups()
        return values[name] if argument is None else _FUNCTIONS[name](argument)

    while (filled := _INNERMOST.sub(replace, template)) != template:
        template = filled
    return filled


def names_in(template: str) -> frozenset[str]:
    """The values that a template needs."""
    return frozenset(_NAMES.findall(template)) - _FUNCTIONS.keys()
