"""Distributions: each span of time is in one bucket, and in the sum."""

from hypothesis import given
from hypothesis import strategies as st

from doorward_server.services.distribution import Distribution

_SPANS = st.floats(0, 100, allow_nan=False) | st.sampled_from([0.001, 0.01, 1.0])


@given(st.lists(_SPANS, max_size=30))
def test_a_bucket_holds_what_is_not_above_its_end(spans: list[float]) -> None:
    """As Prometheus means `le`: a span that is equal to a bucket's end belongs to it."""
    bounds = (0.001, 0.01, 1.0)
    distribution = Distribution(bounds)
    for span in spans:
        distribution.observe(span)
    for place, bound in enumerate(bounds):
        assert sum(distribution.counts[: place + 1]) == sum(span <= bound for span in spans)
    assert distribution.count == len(spans)
    assert distribution.total == sum(spans)
