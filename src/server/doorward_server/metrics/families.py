"""From plain numbers to families of metrics."""

from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from doorward_server.services.distribution import Distribution

_VERSION: Final = metadata.version("doorward")

Labels = tuple[str, ...]
"""The values of a metric's labels, in the order of their names."""


def rendering(collect: Callable[[], Iterable[Metric]]) -> Callable[[], bytes]:
    """What answers the text of these metrics, and of those that every process has."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(_Collector(collect))
    return lambda: generate_latest(registry)


class _Collector(Collector):
    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        yield InfoMetricFamily("doorward_build", "The version that runs.", value={"version": _VERSION})
        yield from self._collect()


def gauge(name: str, text: str, value: float) -> Metric:
    """One number that goes up and down."""
    return GaugeMetricFamily(name, text, value=value)


def gauges(name: str, text: str, labels: Labels, values: Mapping[Labels, float]) -> Metric:
    """One such number for each combination of labels."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def counter(name: str, text: str, value: float) -> Metric:
    """One number that only grows."""
    return CounterMetricFamily(name, text, value=value)


def counters(name: str, text: str, labels: Labels, values: Mapping[Labels, float]) -> Metric:
    """One such number for each combination of labels."""
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def histogram(name: str, text: str, distribution: Distribution) -> Metric:
    """One distribution."""
    return histograms(name, text, (), {(): distribution})


def histograms(name: str, text: str, labels: Labels, values: Mapping[Labels, Distribution]) -> Metric:
    """One distribution for each combination of labels."""
    family = HistogramMetricFamily(name, text, labels=labels)
    for key, distribution in values.items():
        family.add_metric(key, *_cumulative(distribution))
    return family


def _cumulative(distribution: Distribution) -> tuple[list[tuple[str, float]], float]:
    """Buckets as Prometheus has them, each with those below it, and the sum."""
    # Copied at one stroke: another thread may be counting.
    counts = list(distribution.counts)
    buckets, below = [], 0
    for bound, count in zip((*distribution.bounds, float("inf")), counts, strict=True):
        below += count
        buckets.append(("+Inf" if bound == float("inf") else repr(bound), float(below)))
    return buckets, distribution.total
