"""Parsing the fields of a request, all of them before any complaint."""

from collections.abc import Callable
from typing import TypeVar, cast

from doorward_server.domain.errors import InvalidValueError, Violations

S = TypeVar("S")
T = TypeVar("T")


class Fields:
    """Collects what is wrong with the fields of one request.

    ```
    fields = Fields()
    new = NewApp(display_name=fields.take("app.display_name", parse_display_name, app.display_name), ...)
    fields.check()
    return new
    ```
    """

    def __init__(self) -> None:
        self._found = Violations()

    def take(self, path: str, parse: Callable[[S], T], value: S) -> T:
        """What *parse* makes of the field; when it raises `InvalidValueError`, `check` will raise.

        Until then the result may be put where it belongs, and must not be looked at.
        """
        try:
            return parse(value)
        except InvalidValueError as error:
            return self.refuse(path, str(error))

    def take_optional(self, path: str, parse: Callable[[str], T], value: str) -> T | None:
        """As `take`, with None for a text that is not set."""
        return self.take(path, parse, value) if value else None

    def refuse(self, path: str, description: str) -> T:  # type: ignore[type-var]  # see `take`
        """Note that the field breaks a rule. The result stands for its value, and must not be looked at."""
        self._found.add(path, description)
        return cast("T", None)

    def check(self) -> None:
        """Raise `InvalidFieldsError` when any field broke a rule."""
        self._found.raise_if_any()
