"""A check that has lost touch with its control plane, seen through Envoy."""

import signal
from collections.abc import Iterator
from functools import partial

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.raw_http import exchange
from tests.e2e.support.real_stack import RealStack, real_stack
from tests.e2e.support.stack import Published
from tests.support.waiting import wait_for

PATIENCE = 60.0


@pytest.fixture(scope="module")
def short_lease() -> Iterator[RealStack]:
    """A platform whose replicas give up after three seconds without word."""
    with real_stack(policy_lease="3", policy_heartbeat="0.5") as stack:
        yield stack


def answers(*apps: Published, status: int) -> None:
    """Wait until each of the apps answers so."""
    for published in apps:
        look = partial(_answers, published, status)
        wait_for(look, what=f"{status} of {published.app_id}", within=PATIENCE)


def _answers(published: Published, status: int) -> bool:
    return published.get().status == status


def test_everything_is_denied_until_it_is_back(short_lease: RealStack, app: RecordingApp) -> None:
    """503 when the lease has run out, with or without a token, public or not; 200 when it is renewed."""
    apps = (
        short_lease.publish("127.0.0.1", app.port),
        short_lease.publish("127.0.0.1", app.port, access="ACCESS_PUBLIC"),
    )
    answers(*apps, status=200)
    api = short_lease.platform.child("api")
    # It stands still and its connections stay: nothing but the lease tells check that it is gone.
    api.send_signal(signal.SIGSTOP)
    try:
        answers(*apps, status=503)
        reached = len(app.requests)
        for published in apps:
            anonymous = exchange(published.address, "GET", "/", host=published.host)
            for denied in (published.get(), anonymous):
                assert denied.status == 503
                assert denied.all("content-type") == ["application/problem+json"]
                assert denied.all("retry-after") == ["1"]
                assert b"Access cannot be checked" in denied.body
        assert len(app.requests) == reached
    finally:
        api.send_signal(signal.SIGCONT)
    answers(*apps, status=200)
