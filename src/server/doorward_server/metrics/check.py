"""The metrics of a check process."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

from prometheus_client.core import Metric

from doorward_server.check.process import Vitals
from doorward_server.domain.decision import Reason
from doorward_server.metrics.families import Labels, counter, counters, gauge, histogram, rendering
from doorward_server.metrics.listening import serving_metrics


@asynccontextmanager
async def check_metrics(vitals: Vitals, *, address: str, port: int) -> AsyncIterator[None]:
    """Serve the metrics of a check process inside this block; raises `MetricsListenError`."""
    async with serving_metrics(rendering(partial(collect_check, vitals)), address=address, port=port):
        yield


def collect_check(vitals: Vitals) -> Iterator[Metric]:
    """The metrics at this moment."""
    tally, lease = vitals.tally, vitals.lease
    yield counters(
        "doorward_check_decisions_total",
        "Decisions on HTTP requests.",
        ("reason", "allowed"),
        _decisions(list(tally.decided), tally.unreadable),
    )
    yield histogram(
        "doorward_check_duration_seconds",
        "How long a decision took, from the request's bytes to the answer's.",
        tally.durations,
    )
    yield counter(
        "doorward_check_failures_total",
        "Requests that the handler failed on, a defect; Envoy denies them.",
        tally.failed,
    )
    yield gauge(
        "doorward_policy_revision", "The revision that decisions are made by.", vitals.follower.revision
    )
    yield gauge(
        "doorward_policy_age_seconds",
        "How long ago the newest message was sent that the control plane has answered.",
        lease.age,
    )
    yield gauge(
        "doorward_policy_lease_remaining_seconds",
        "How long decisions are made without further word from the control plane.",
        lease.time_left,
    )
    yield gauge(
        "doorward_policy_fresh", "Whether decisions are made; if not, everything is denied.", lease.fresh
    )
    yield gauge("doorward_policy_entries", "Apps and tokens in memory.", len(vitals.index))


def _decisions(decided: list[int], unreadable: int) -> dict[Labels, float]:
    counts: dict[Labels, float] = {
        (reason.name, str(reason.allowed).lower()): decided[reason.index] for reason in Reason
    }
    # As the access log has it.
    counts["UNREADABLE_REQUEST", "false"] = unreadable
    return counts
