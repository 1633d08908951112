"""The metrics of a check process: every decision is counted once, and age and lease follow the clock."""

import math
import uuid

import pytest

from doorward_server.check.follower import PolicyFollower
from doorward_server.check.handler import CheckHandler
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.process import Vitals
from doorward_server.check.tally import CheckTally
from doorward_server.check.uses import TokenUses
from doorward_server.domain.credentials import PlatformKey, Secret, mint_secret, mint_token_id
from doorward_server.domain.decision import Reason
from doorward_server.domain.ids import AppId, RegionName, SessionId
from doorward_server.domain.policy import Address, LiveSecret, PolicyApp, PolicyToken
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import parse_scope_selector
from doorward_server.domain.sessions import Session, SessionSeals
from doorward_server.metrics.check import collect_check
from doorward_server.metrics.families import rendering
from doorward_server.policy.v1 import policy_pb2
from doorward_server.rpc.policy_messages import app_message, token_message
from tests.support.check_requests import check_request
from tests.support.scraping import Scrape
from tests.unit.check.stream_world import WELCOME
from tests.unit.metrics.vitals import Clock, check_vitals

KEY = PlatformKey("test", bytes(32))
MACS, SEALS = KEY.token_macs(), SessionSeals(KEY.session_key())
GRA, BHS = RegionName("GRA"), RegionName("BHS")
NOW = 1_700_000_000.0
DECISIONS = "doorward_check_decisions_total"


class World:
    """A replica with a policy that gives every answer there is."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.index, self.lease, self.tally = PolicyIndex(MACS, SEALS), Lease(self.clock), CheckTally()
        self.index.set_domains({GRA: "app.gra.localhost", BHS: "app.bhs.localhost"})
        handler = CheckHandler(
            policy=self.index,
            lease=self.lease,
            uses=TokenUses(),
            login_enabled=True,
            tally=self.tally,
            now=lambda: NOW,
        )
        self.answer = self.tally.timed(handler)
        self.vitals = Vitals(
            tally=self.tally,
            lease=self.lease,
            index=self.index,
            follower=PolicyFollower(index=self.index, lease=self.lease, region=None, clock=self.clock),
        )

    def app(self, **changes: object) -> str:
        """Put an app, and answer its host."""
        given = {
            "region": GRA,
            "labels": {"group": "A"},
            "upstream": Address(host="127.0.0.1", port=1),
        } | changes
        app = PolicyApp(app_id=AppId(str(uuid.uuid4())), **given)  # type: ignore[arg-type]  # fields by name
        self.index.put_app(app_message(app))
        return f"{app.app_id}.app.{app.region.lower()}.localhost"

    def token(self, *, expire_time: float | None = None) -> Secret:
        """Put a token for the apps of group A in GRA, and answer its secret."""
        secret = mint_secret(mint_token_id())
        live = LiveSecret(generation=1, mac=MACS.mac(secret), expire_time=expire_time)
        token = PolicyToken(
            token_id=secret.token_id,
            role=Role.READ_ONLY,
            region=GRA,
            selector=parse_scope_selector("group=A"),
            secrets=(live,),
        )
        self.index.put_token(token_message(token))
        return secret

    def ask(self, host: str, secret: Secret | str | None = None, *, path: str = "/", times: int = 1) -> None:
        """Make a request."""
        text = secret.reveal() if isinstance(secret, Secret) else secret
        headers = () if text is None else (("authorization", f"Bearer {text}"),)
        for _ in range(times):
            self.answer(check_request(host, path, headers=headers))

    def scrape(self) -> Scrape:
        """What a scraper reads."""
        return Scrape.of(rendering(lambda: collect_check(self.vitals))().decode())


@pytest.fixture
def world() -> World:
    """A replica with nothing in it, and no lease."""
    return World()


def test_every_decision_is_counted_under_its_reason(world: World) -> None:
    """Once each, whatever the answer: the counts of a scrape are those of the requests, exactly."""
    open_app, public = world.app(), world.app(public=True)
    secret = world.token()
    world.ask(open_app, secret)
    world.lease.renew(world.clock.now, 30.0)
    world.ask(open_app, secret, times=7)
    world.ask(public, times=2)
    world.ask(open_app, times=3)
    world.ask(open_app, "dw_broken", times=4)
    world.ask(open_app, mint_secret(mint_token_id()), times=5)
    world.ask(open_app, world.token(expire_time=NOW - 1))
    world.ask(f"{uuid.uuid4()}.app.gra.localhost", secret)
    world.ask(world.app(region=BHS), secret)
    world.ask(world.app(labels={"group": "B"}), secret)
    operated = world.app(operator_paths=("/admin",))
    world.ask(operated, secret, path="/admin")
    world.ask(operated, secret, path="/%2fadmin")
    world.ask(world.app(upstream=None), secret)
    cors = world.app(cors_preflight=True)
    preflight = (("origin", "https://a"), ("access-control-request-method", "GET"))
    world.answer(check_request(cors, method="OPTIONS", headers=preflight))
    twice = (("authorization", f"Bearer {secret.reveal()}"),) * 2
    world.answer(check_request(open_app, headers=twice))
    session = Session(
        session_id=SessionId(str(uuid.uuid4())),
        token_id=secret.token_id,
        generation=1,
        app_id=AppId(open_app[:36]),
        idle_end=NOW,
        end=NOW,
    )
    for sealed in ("forged", SEALS.seal(session)):
        world.answer(check_request(open_app, headers=(("cookie", f"__Host-doorward={sealed}"),)))
    # A browser, which is sent to the login page.
    world.answer(check_request(open_app, headers=(("accept", "text/html"),)))
    world.answer(b"\xff\xff")
    expected = {
        "STALE_POLICY": 1,
        "ALLOWED": 7,
        "PUBLIC_APP": 2,
        "NO_CREDENTIAL": 4,
        "MALFORMED_CREDENTIAL": 4,
        "UNKNOWN_TOKEN": 5,
        "EXPIRED_TOKEN": 1,
        "UNKNOWN_SESSION": 1,
        "EXPIRED_SESSION": 1,
        "UNKNOWN_APP": 1,
        "OUT_OF_REGION": 1,
        "OUT_OF_SCOPE": 1,
        "ROLE_TOO_LOW": 1,
        "AMBIGUOUS_PATH": 1,
        "APP_NOT_RUNNING": 1,
        "CORS_PREFLIGHT": 1,
        "REPEATED_CREDENTIAL": 1,
        "UNREADABLE_REQUEST": 1,
    }
    assert set(expected) == {reason.name for reason in Reason} | {"UNREADABLE_REQUEST"}
    scrape = world.scrape()
    assert scrape.by(DECISIONS, "reason") == expected
    assert scrape.by(DECISIONS, "allowed") == {"true": 10, "false": sum(expected.values()) - 10}
    assert scrape["doorward_check_duration_seconds_count"] == sum(expected.values())
    assert scrape["doorward_check_duration_seconds_sum"] > 0
    assert scrape["doorward_check_failures_total"] == 0


def test_nothing_of_a_request_is_in_the_metrics(world: World) -> None:
    """Neither a secret nor the id of a token or an app, nor a host or a path."""
    world.lease.renew(world.clock.now, 30.0)
    host, secret = world.app(), world.token()
    world.ask(host, secret, path="/what-was-asked-for")
    text = world.scrape().text()
    assert world.scrape().by(DECISIONS, "reason") == {"ALLOWED": 1}
    for private in (secret.reveal(), secret.token_id, host.split(".")[0], "localhost", "what-was-asked-for"):
        assert private not in text


def test_a_reason_that_never_occurred_is_there_with_0(world: World) -> None:
    """So that a rate begins with its first occurrence."""
    assert world.scrape().get(DECISIONS, reason="EXPIRED_TOKEN", allowed="false") == 0


def test_age_and_lease_follow_the_clock(world: World) -> None:
    """The age grows until a message is answered; the lease runs out and stays at 0."""
    world.clock.now += 12
    scrape = world.scrape()
    assert (scrape["doorward_policy_age_seconds"], scrape["doorward_policy_fresh"]) == (12.0, 0.0)
    world.lease.renew(world.clock.now - 1, 30.0)
    world.clock.now += 9
    scrape = world.scrape()
    assert (scrape["doorward_policy_age_seconds"], scrape["doorward_policy_fresh"]) == (10.0, 1.0)
    assert scrape["doorward_policy_lease_remaining_seconds"] == 20.0
    world.clock.now += 60
    scrape = world.scrape()
    assert (scrape["doorward_policy_age_seconds"], scrape["doorward_policy_fresh"]) == (70.0, 0.0)
    assert scrape["doorward_policy_lease_remaining_seconds"] == 0.0


def test_a_lease_without_end(world: World) -> None:
    """Is infinite, as Prometheus writes it; the age still grows."""
    world.lease.renew(world.clock.now, 0)
    world.clock.now += 500
    scrape = world.scrape()
    assert scrape["doorward_policy_lease_remaining_seconds"] == math.inf
    assert scrape["doorward_policy_age_seconds"] == 500.0


def test_the_revision_and_the_size_of_the_policy() -> None:
    """They are those that decisions are made by."""
    clock = Clock()
    vitals = check_vitals(clock)
    before = Scrape.of_families(collect_check(vitals))
    assert (before["doorward_policy_revision"], before["doorward_policy_entries"]) == (0, 0)
    follower = vitals.follower
    follower.hello()
    follower.receive(policy_pb2.StreamPolicyResponse(sequence=1, welcome=WELCOME))
    token = policy_pb2.Token(token_id=mint_token_id(), role="ADMIN")
    snapshot = policy_pb2.Snapshot(tokens=[token], last=True)
    follower.receive(policy_pb2.StreamPolicyResponse(sequence=2, snapshot=snapshot, revision=41))
    after = Scrape.of_families(collect_check(vitals))
    assert (after["doorward_policy_revision"], after["doorward_policy_entries"]) == (41, 1)
