"""The table of all cases, as a page in Markdown."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from tests.e2e.conformance.case import Case, Seen
from tests.e2e.conformance.table import CASES

_HEAD: Final = """# Conformance

What clients may try, and what must come of it: every case of the kit in `tests/e2e/conformance`, which the
tests run against the real Envoy. [How to point it at another setup](how-to/conformance.md) says what the
placeholders in angle brackets stand for.

A case passes when its answers are those in the table; when the apps saw exactly what the table says (most
often nothing), with the right identity headers, without a forged one and without a secret; and when, after
it, an honest request is let in and one without a token is refused.

Written by `python -m tests.e2e.conformance`; a test compares.
"""
_COLUMNS: Final = """
| case | sent | answer | the apps see | rule | source |
| --- | --- | --- | --- | --- | --- |
"""


def render() -> str:
    """The whole page."""
    return _HEAD + "".join(_section(subject, list(cases)) for subject, cases in groupby(CASES, _subject))


def _subject(case: Case) -> str:
    return case.name.partition("/")[0]


def _section(subject: str, cases: list[Case]) -> str:
    return f"\n## {subject.capitalize()}\n\n{len(cases)} cases.\n{_COLUMNS}" + "".join(map(_row, cases))


def _row(case: Case) -> str:
    answers = ", then ".join(str(expected) for expected in case.answers)
    seen = "<br>".join(_seen(each) for each in case.seen) or "nothing"
    sent = _code(case.exchange.text())
    return f"| {case.name} | {sent} | {answers} | {seen} | {case.rule} | {case.source} |\n"


def _seen(seen: Seen) -> str:
    whose = "nobody" if seen.by is None else f"<{seen.by}>"
    app = f"{seen.app}, perhaps, cut off" if seen.cut else seen.app
    parts = [f"{app}: {_code(f'{seen.method} {seen.target}')} of {_code(whose)}"]
    if seen.host is not None:
        parts.append(f"for {_code(seen.host)}")
    for name, values in seen.headers.items():
        parts.append(" and ".join(_code(f"{name}: {value}") for value in values) or f"no {_code(name)}")
    if seen.body:
        parts.append(f"with the body {_code(seen.body)}")
    return ", ".join(parts)


def _code(text: str) -> str:
    """As code, a line of it for each line of the text."""
    return "<br>".join(f"`{line}`" for line in _lines(text))


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\r\n", "\n").split("\n"):
        shown = re.sub(r"[^ -~⋯]", lambda sign: f"\\x{ord(sign[0]):02x}", line).replace("|", "\\|")
        # Code does not show a space at its begin or end.
        yield re.sub(r"^ | $", "␠", shown) or "␠"
