"""The names of the server's regions."""

from collections.abc import Iterable

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.ids import RegionName
from doorward_server.domain.quoting import quoted


class Regions:
    """Knows the server's regions."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)

    def parse(self, text: str) -> RegionName:
        """Parse the name of a region, whose case matters; raises `InvalidValueError`."""
        known = ", ".join(self._names)
        if not text:
            raise InvalidValueError(f"must be set: one of {known}")
        if text not in self._names:
            raise InvalidValueError(f"{quoted(text)} is no region: one of {known}")
        return RegionName(text)
