"""Label selectors, in the string grammar of Kubernetes.

```
selector    = requirement *( "," requirement )
requirement = key / "!" key / key ("=" / "==" / "!=") value / key ("in" / "notin") "(" value *("," value) ")"
```

A selector matches when all its requirements do. As in Kubernetes, `!=` and `notin` also match labels that
lack the key. Source: `k8s.io/apimachinery/pkg/labels`, whose numeric `>` and `<` are left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.labels import check_key, check_value
from doorward_server.domain.quoting import quoted

MAX_REQUIREMENTS = 16
"""How many requirements a selector may have."""

MAX_LENGTH = 4096
"""How many characters a selector may have."""


class Operator(Enum):
    """How a requirement compares; the value orders requirements of one key in the canonical text."""

    EXISTS = 1
    DOES_NOT_EXIST = 2
    IN = 3
    NOT_IN = 4


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on the label *key*. `=` is IN with one value, `!=` is NOT_IN with one."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether *labels* meet the condition."""
        match self.operator:
            case Operator.EXISTS:
                return self.key in labels
            case Operator.DOES_NOT_EXIST:
                return self.key not in labels
            case Operator.IN:
                return labels.get(self.key) in self.values
            case Operator.NOT_IN:
                return labels.get(self.key) not in self.values

    @property
    def positive(self) -> bool:
        """Whether the condition names labels that an app must have."""
        return self.operator in (Operator.EXISTS, Operator.IN)

    def __str__(self) -> str:
        match self.operator:
            case Operator.EXISTS:
                return self.key
            case Operator.DOES_NOT_EXIST:
                return f"!{self.key}"
            case Operator.IN:
                return self._with_values("=", "in")
            case Operator.NOT_IN:
                return self._with_values("!=", "notin")

    def _with_values(self, sign: str, word: str) -> str:
        if len(self.values) == 1:
            return f"{self.key}{sign}{next(iter(self.values))}"
        return f"{self.key} {word} ({','.join(sorted(self.values))})"


class Selector:
    """A conjunction of requirements, in canonical order and without repeats. Empty: matches everything."""

    __slots__ = ("_requirements", "_text")

    def __init__(self, text: str = "", requirements: tuple[Requirement, ...] | None = None) -> None:
        """Take a canonical text, and what it requires when that is known. `of` makes both."""
        self._text = text
        self._requirements = requirements

    @classmethod
    def of(cls, requirements: Iterable[Requirement]) -> "Selector":
        """Make a selector; the order and repeats of *requirements* do not matter."""
        unique = sorted(
            set(requirements), key=lambda each: (each.key, each.operator.value, sorted(each.values))
        )
        return cls(",".join(map(str, unique)), tuple(unique))

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """What labels must meet: parsed when first asked for, if the canonical text is all that was given."""
        if self._requirements is None:
            self._requirements = parse_selector(self._text).requirements
        return self._requirements

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether *labels* meet every requirement."""
        return all(requirement.matches(labels) for requirement in self.requirements)

    def __str__(self) -> str:
        """The canonical text; parsing it gives an equal selector."""
        return self._text

    def __repr__(self) -> str:
        return f"Selector({self._text!r})"

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Selector) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)


def parse_selector(text: str) -> Selector:
    """Parse a selector; an empty one matches everything.

    Raises `InvalidValueError` with the 1-based column of what is wrong.
    """
    _check_length(text)
    selector = _Parser(text).selector()
    # `key in(a,b)` is one character shorter than its canonical text, which is stored and parsed again.
    _check_length(str(selector))
    return selector


def parse_scope_selector(text: str) -> Selector:
    """Parse a selector that is a token's scope, which is stricter than a filter.

    A scope says what it opens: it has at least one positive requirement, since one of negative requirements
    alone would open every app that nobody thought of.

    Raises `InvalidValueError`.
    """
    selector = parse_selector(text)
    if not selector.requirements:
        raise InvalidValueError("must not be empty; to open every app of the region, set all_apps")
    if not any(requirement.positive for requirement in selector.requirements):
        raise InvalidValueError(
            "must have at least one requirement that names a label an app has (key, =, in);"
            " negative ones alone would open every app that lacks a label"
        )
    return selector


def _check_length(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise InvalidValueError(f"a selector must have at most {MAX_LENGTH} characters, has {len(text)}")


_SPACES = " \t\r\n"
_SYMBOLS = ("==", "!=", "=", "!", "(", ")", ",")
_BREAKS = frozenset("=!(),<>") | frozenset(_SPACES)


@dataclass(frozen=True, slots=True)
class _Lexeme:
    text: str
    """A symbol, a word, or empty at the end."""
    column: int

    @property
    def is_word(self) -> bool:
        return self.text != "" and self.text not in _SYMBOLS


class _Parser:
    """A recursive-descent parser with one lexeme of look-ahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._next = self._scan()

    def selector(self) -> Selector:
        if self._next.text == "":
            return Selector.of(())
        requirements = [self._requirement()]
        while self._next.text == ",":
            self._take()
            requirements.append(self._requirement())
        if self._next.text != "":
            raise self._expected("',' or the end")
        if len(requirements) > MAX_REQUIREMENTS:
            raise InvalidValueError(
                f"a selector must have at most {MAX_REQUIREMENTS} requirements, has {len(requirements)}"
            )
        return Selector.of(requirements)

    def _requirement(self) -> Requirement:
        if self._next.text == "!":
            self._take()
            return Requirement(self._key(), Operator.DOES_NOT_EXIST)
        key = self._key()
        match self._next.text:
            case "" | ",":
                return Requirement(key, Operator.EXISTS)
            case "=" | "==":
                return Requirement(key, Operator.IN, frozenset({self._single_value(key)}))
            case "!=":
                return Requirement(key, Operator.NOT_IN, frozenset({self._single_value(key)}))
            case "in":
                return Requirement(key, Operator.IN, self._values(key))
            case "notin":
                return Requirement(key, Operator.NOT_IN, self._values(key))
            case _:
                raise self._expected("one of '=', '==', '!=', 'in', 'notin', ','")

    def _key(self) -> str:
        if not self._next.is_word:
            raise self._expected("a key")
        lexeme = self._take()
        with _at(lexeme):
            check_key(lexeme.text)
        return lexeme.text

    def _single_value(self, key: str) -> str:
        self._take()
        return self._value(key)

    def _values(self, key: str) -> frozenset[str]:
        self._take()
        if self._next.text != "(":
            raise self._expected("'('")
        self._take()
        values = {self._value(key)}
        while self._next.text == ",":
            self._take()
            values.add(self._value(key))
        if self._next.text != ")":
            raise self._expected("',' or ')'")
        self._take()
        return frozenset(values)

    def _value(self, key: str) -> str:
        """A value, which may be empty: `key=`, `key in ()` and `key in (,a)` have one."""
        if not self._next.is_word:
            return ""
        lexeme = self._take()
        with _at(lexeme):
            check_value(key, lexeme.text)
        return lexeme.text

    def _take(self) -> _Lexeme:
        taken, self._next = self._next, self._scan()
        return taken

    def _scan(self) -> _Lexeme:
        text = self._text
        start = self._position
        while start < len(text) and text[start] in _SPACES:
            start += 1
        end = start
        for symbol in _SYMBOLS:
            if text.startswith(symbol, start):
                end = start + len(symbol)
                break
        else:
            while end < len(text) and text[end] not in _BREAKS:
                end += 1
            if end == start and end < len(text):
                raise InvalidValueError(
                    f"column {start + 1}: {text[start]!r} is not part of the selector grammar"
                )
        self._position = end
        return _Lexeme(text[start:end], start + 1)

    def _expected(self, what: str) -> InvalidValueError:
        found = quoted(self._next.text) if self._next.text else "the end"
        return InvalidValueError(f"column {self._next.column}: expected {what}, found {found}")


@contextmanager
def _at(lexeme: _Lexeme) -> Iterator[None]:
    """Put a lexeme's column before the text of an `InvalidValueError`."""
    try:
        yield
    except InvalidValueError as error:
        raise InvalidValueError(f"column {lexeme.column}: {error}") from None
