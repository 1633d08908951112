"""Requirements of selectors in the words of Kubernetes' documentation, evaluated independently."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """A requirement as Kubernetes' documentation speaks of it."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """The documentation's words, one operator at a time."""
        present = self.key in labels
        if self.operator == "exists":
            return present
        if self.operator == "absent":
            return not present
        listed = any(present and labels[self.key] == value for value in self.values)
        if self.operator in ("=", "==", "in"):
            return listed
        assert self.operator in ("!=", "notin")
        return not listed
