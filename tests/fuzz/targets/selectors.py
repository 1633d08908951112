"""Label selectors, against a reader that takes the text apart with one expression for each form.

An input is labels (`key=value;key=value`) on the first line, and the selector behind it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.selectors import Selector, parse_scope_selector, parse_selector
from tests.fuzz.target import Target
from tests.unit.domain.conditions import Condition

Parse = Callable[[str], Selector]

_SPACE: Final = r"[ \t\r\n]"
_WORD: Final = r"[^=!(),<> \t\r\n]+"
_FORMS: Final = tuple(
    re.compile(form.replace("_", f"{_SPACE}*").replace("KEY", f"(?P<key>{_WORD})"))
    for form in (
        rf"_KEY_(?P<operator>==|=|!=)_(?P<values>(?:{_WORD})?)_",
        rf"_KEY{_SPACE}+(?P<operator>in|notin)_\((?P<values>[^()]*)\)_",
        r"_(?P<operator>!)_KEY_",
        r"_KEY_",
    )
)


def read_selector(text: str) -> list[Condition]:
    """The conditions of a selector that was accepted. A key or value is taken as it stands."""
    if not text.strip(" \t\r\n"):
        return []
    pieces = re.split(r",(?![^(]*\))", text)
    return [_read_condition(piece) for piece in pieces]


def _read_condition(piece: str) -> Condition:
    for form in _FORMS:
        if found := form.fullmatch(piece):
            parts = found.groupdict()
            operator = {"!": "absent", None: "exists"}.get(parts.get("operator"), parts.get("operator"))
            values = tuple(value.strip(" \t\r\n") for value in (parts.get("values") or "").split(","))
            assert operator is not None
            return Condition(parts["key"], operator, values)
    raise AssertionError("accepted, and of no form that the documentation knows")


def check(data: bytes, *, parse: Parse = parse_selector) -> None:
    """What is accepted means what its conditions mean, and its canonical text is a fixed point."""
    first, _, rest = data.partition(b"\n")
    labels = _labels(first.decode("utf-8", "replace"))
    text = rest.decode("utf-8", "replace")
    try:
        selector = parse(text)
    except InvalidValueError:
        _refused(parse_scope_selector, text)
        return
    conditions = read_selector(text)
    for tried in (labels, {}, {each.key: value for each in conditions for value in each.values or ("",)}):
        assert selector.matches(tried) == all(condition.holds(tried) for condition in conditions)
    canonical = str(selector)
    assert parse(canonical) == selector
    assert str(parse(canonical)) == canonical
    if all(each.operator in ("absent", "!=", "notin") for each in conditions):
        _refused(parse_scope_selector, text)
    else:
        assert parse_scope_selector(text) == selector


def _labels(line: str) -> Mapping[str, str]:
    return dict(pair.partition("=")[::2] for pair in line.split(";") if pair)


def _refused(parse: Parse, text: str) -> None:
    try:
        parse(text)
    except InvalidValueError:
        return
    raise AssertionError("a scope that a filter may not be, or of negative requirements alone")


def _commas_optional(text: str) -> Selector:
    """Takes the first of several requirements for all of them."""
    selector = parse_selector(text)
    return Selector.of(selector.requirements[:1])


TARGET = Target(
    name="selectors",
    check=check,
    planted=lambda data: check(data, parse=_commas_optional),
    words=(
        *(b"group=A;ovh/id=x\n", b"group", b"ovh/id", b"A", b" in (", b" notin (", b"(", b")", b",", b"!"),
        *(b"==", b"!=", b"=", b"in", b"notin", b"\n", b"\t", b"<", b">", b"\xc2\xa0", b"\0", b"\xef\xbc\x8c"),
    ),
)
