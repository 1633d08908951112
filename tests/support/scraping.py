"""Metrics, as a scraper reads them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

Names = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Scrape:
    """What one scrape gave."""

    values: Mapping[tuple[str, Names], float]
    families: Mapping[str, str]
    """The type of each metric."""

    @classmethod
    def of(cls, text: str) -> "Scrape":
        """Read the text format."""
        return cls.of_families(text_string_to_metric_families(text))

    @classmethod
    def of_families(cls, families: Iterable[Metric]) -> "Scrape":
        """Take the metrics as a collector makes them."""
        found = list(families)
        return cls(
            {
                (sample.name, frozenset(sample.labels.items())): sample.value
                for family in found
                for sample in family.samples
            },
            {family.name: family.type for family in found},
        )

    def __getitem__(self, name: str) -> float:
        """The value of a metric without labels."""
        return self.values[name, frozenset()]

    def get(self, name: str, **labels: str) -> float | None:
        """The value of a metric with these labels; None when it is not there."""
        return self.values.get((name, frozenset(labels.items())))

    def by(self, name: str, label: str) -> dict[str, float]:
        """The values of a metric by one of its labels, summed over the others; what is 0 left out."""
        sums: dict[str, float] = {}
        for (each, labels), value in self.values.items():
            if each == name and value:
                key = dict(labels)[label]
                sums[key] = sums.get(key, 0) + value
        return sums

    def text(self) -> str:
        """Every name and label, for a test to look for what must not be there."""
        parts: list[Any] = [*self.families, *self.values]
        return repr(parts)
