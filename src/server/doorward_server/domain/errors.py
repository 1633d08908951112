"""What the domain raises when a value breaks a rule."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


class InvalidValueError(ValueError):
    """A value breaks a rule; the text names the rule and is fit for the person who sent the value.

    The text never holds a secret. It does not name the field: whoever parses a field knows its path and
    adds it (see `Violations`).
    """


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that breaks a rule."""

    field: str
    """The field's path in the request, such as `app.labels`."""
    description: str
    """The rule that it breaks."""


class InvalidFieldsError(ValueError):
    """One or more fields of a request break a rule."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__("; ".join(f"{each.field}: {each.description}" for each in violations))
        self.violations = violations


class Violations:
    """Collects what is wrong with a request, so that a caller learns all of it at once.

    ```
    found = Violations()
    with found.field("app.display_name"):
        name = parse_display_name(text)
    found.raise_if_any()
    ```
    """

    def __init__(self) -> None:
        self._found: list[Violation] = []

    @contextmanager
    def field(self, path: str) -> Iterator[None]:
        """Record an `InvalidValueError` of the block under *path*, and go on after the block."""
        try:
            yield
        except InvalidValueError as error:
            self.add(path, str(error))

    def add(self, path: str, description: str) -> None:
        """Record that the field *path* breaks the rule *description*."""
        self._found.append(Violation(path, description))

    def raise_if_any(self) -> None:
        """Raise `InvalidFieldsError` with all that was recorded, if anything was."""
        if self._found:
            raise InvalidFieldsError(tuple(self._found))
