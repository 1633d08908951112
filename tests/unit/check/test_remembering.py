"""What a replica lets Envoy remember, and what it owes for that."""

import math
from dataclasses import replace

import pytest
from envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from google.protobuf.json_format import MessageToDict

from doorward_server.check.allows import next_end
from doorward_server.check.answers import Answers
from doorward_server.check.denials import Form
from doorward_server.check.lease import Lease
from doorward_server.check.remembering import Remembering, Settling
from doorward_server.domain.decision import Decision, Reason, Request
from doorward_server.domain.ids import AppId, RegionName, Revision, TokenId
from doorward_server.domain.policy import Address, LiveSecret, PolicyApp, PolicyToken
from doorward_server.domain.roles import Role
from doorward_server.services.leases import DRIFT

NOW = 1_000_000.0
APP = PolicyApp(
    app_id=AppId("app-1"), region=RegionName("GRA"), labels={}, upstream=Address(host="127.0.0.1", port=9000)
)
TOKEN = PolicyToken(
    token_id=TokenId("token0000001"), role=Role.READ_ONLY, secrets=(LiveSecret(generation=1, mac=b"m" * 32),)
)
ALLOWED = Decision(Reason.ALLOWED, APP, TOKEN)
REQUEST = Request(host="app-1.app.gra.localhost", path="/", secret=None)
REMOVED = ("authorization",)


class HandMovedClock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 500.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> HandMovedClock:
    """The clock of leases."""
    return HandMovedClock()


@pytest.fixture
def lease(clock: HandMovedClock) -> Lease:
    """A lease of thirty seconds, just renewed."""
    lease = Lease(clock)
    lease.renew(clock(), 30)
    return lease


def remembered_now(
    remembering: Remembering, decision: Decision = ALLOWED, request: Request = REQUEST
) -> bool:
    """Whether the decision may be remembered."""
    leave = remembering.leave(decision, request, remove=REMOVED)
    return leave != b"" and remembering.is_forgotten_by(next_end(decision.token, NOW), now=NOW)


def expiring(*ends: float | None) -> Decision:
    """An allow of a token whose secrets end so many seconds from now."""
    secrets = tuple(
        LiveSecret(generation=number, mac=b"m" * 32, expire_time=None if end is None else NOW + end)
        for number, end in enumerate(ends)
    )
    return Decision(Reason.ALLOWED, APP, replace(TOKEN, secrets=secrets))


@pytest.mark.parametrize(("operator_paths", "any_path"), [((), True), (("/admin",), False)])
def test_an_allow_says_how_it_may_be_remembered(
    lease: Lease, operator_paths: tuple[str, ...], any_path: bool
) -> None:
    """The answer is what it was, and its metadata say for how long, for which paths, and what was removed."""
    decision = replace(ALLOWED, app=replace(APP, operator_paths=operator_paths))
    answer = Answers().encode(decision, remove=REMOVED, form=Form.PROBLEM)
    leave = Remembering(lifetime=0.5, lease=lease).leave(decision, REQUEST, remove=REMOVED)
    before, after = CheckResponse.FromString(answer), CheckResponse.FromString(answer + leave)
    remember = MessageToDict(after.dynamic_metadata)["remember"]
    assert remember == {"milliseconds": 500.0, "any_path": any_path, "remove": ["authorization"]}
    del after.dynamic_metadata.fields["remember"]
    assert after == before


def test_by_default_nothing_is_remembered(lease: Lease) -> None:
    """With a lifetime of 0 an answer gets no addition, and nobody waits."""
    remembering = Remembering(lifetime=0, lease=lease)
    assert not remembered_now(remembering)
    assert remembering.seconds == 0


@pytest.mark.parametrize("lifetime", [-0.1, 1.001, math.inf, math.nan])
def test_a_lifetime_is_a_second_at_most(lease: Lease, lifetime: float) -> None:
    """Whoever configures more is told so."""
    with pytest.raises(ValueError, match="0 to 1"):
        Remembering(lifetime=lifetime, lease=lease)


@pytest.mark.parametrize("reason", list(Reason))
def test_only_allows_that_rest_on_what_envoy_looks_at_are_remembered(lease: Lease, reason: Reason) -> None:
    """No denial, and no preflight, which is told by headers that are not in Envoy's key."""
    remembered = remembered_now(Remembering(lifetime=1, lease=lease), replace(ALLOWED, reason=reason))
    assert remembered == (reason in {Reason.ALLOWED, Reason.PUBLIC_APP})


def test_an_app_that_a_route_names_is_not_remembered(lease: Lease) -> None:
    """Envoy knows an allow by its host, and another route with that host may mean another app."""
    remembering = Remembering(lifetime=1, lease=lease)
    assert remembered_now(remembering)
    assert not remembered_now(remembering, request=replace(REQUEST, app_id=AppId("app-1")))


@pytest.mark.parametrize(
    ("ends", "remembered"),
    [
        ([None], True),
        ([3600.0], True),
        ([1.1], True),
        ([1.0], False),
        ([0.001], False),
        # The former secret's grace ends in a moment, or has ended.
        ([None, 0.5], False),
        ([None, -0.001], True),
        ([], True),
    ],
)
def test_nothing_is_remembered_past_the_end_of_a_secret(
    lease: Lease, ends: list[float | None], remembered: bool
) -> None:
    """A token that ends within the lifetime is asked about each time."""
    assert remembered_now(Remembering(lifetime=1, lease=lease), expiring(*ends)) == remembered


def test_nothing_is_remembered_past_the_lease(lease: Lease, clock: HandMovedClock) -> None:
    """When a replica must stop to decide, nothing is left of what it decided."""
    remembering = Remembering(lifetime=1, lease=lease)
    clock.now += 30 - remembering.seconds - 0.001
    assert remembered_now(remembering)
    clock.now += 0.002
    assert lease.fresh
    assert not remembered_now(remembering)
    lease.renew(clock(), 0)
    assert remembered_now(remembering)


def test_a_revision_settles_when_all_from_before_it_is_forgotten(clock: HandMovedClock) -> None:
    """Not a moment sooner, also where the two clocks do not run alike."""
    settling = Settling(seconds=1 * DRIFT, clock=clock)
    settling.reach(Revision(1))
    assert (settling.settled, settling.time_left) == (1, None)
    settling.narrowed()
    settling.reach(Revision(2))
    clock.now += 1
    assert settling.settled == 1
    assert settling.time_left == pytest.approx(DRIFT - 1)
    clock.now += DRIFT - 1
    assert (settling.settled, settling.time_left) == (2, None)


def test_a_revision_that_narrows_nothing_settles_with_the_one_before_it(clock: HandMovedClock) -> None:
    """At once, or when that one does."""
    settling = Settling(seconds=1, clock=clock)
    settling.narrowed()
    settling.reach(Revision(1))
    clock.now += 0.5
    settling.reach(Revision(2))
    clock.now += 0.4
    assert settling.settled == 0
    clock.now += 0.1
    assert settling.settled == 2
    settling.reach(Revision(3))
    assert settling.settled == 3


def test_revisions_settle_one_after_the_other(clock: HandMovedClock) -> None:
    """Under constant change, each waits for its own time and none for the last."""
    settling = Settling(seconds=1, clock=clock)
    for revision in range(1, 31):
        settling.narrowed()
        settling.reach(Revision(revision))
        assert settling.settled == max(0, revision - 10)
        clock.now += 0.1


def test_what_is_remembered_outlives_a_stream(clock: HandMovedClock) -> None:
    """On a new stream, too, a revision waits for what was remembered before."""
    settling = Settling(seconds=1, clock=clock)
    settling.narrowed()
    settling.reach(Revision(7))
    settling.begin()
    settling.reach(Revision(7))
    clock.now += 0.9
    assert settling.settled == 0
    clock.now += 0.1
    assert settling.settled == 7
