"""A small policy that never changes, and the handlers that decide by it."""

from dataclasses import replace
from typing import Final

from doorward_server.check.follower import PolicyFollower
from doorward_server.check.handler import CheckHandler
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.sessions import SessionRenewal
from doorward_server.check.uses import TokenUses
from doorward_server.domain.roles import Role
from doorward_server.policy.v1 import policy_pb2
from doorward_server.rpc.policy_messages import app_message, token_message
from tests.unit.domain.decision_oracle import APP_IDS, BHS, ENDED, GRA, NOW, AppFacts, TokenFacts, World
from tests.unit.domain.policies import DOMAINS, MACS, SEALS

_APP: Final = AppFacts(
    app_id=APP_IDS[0],
    region=GRA,
    group="A",
    public=False,
    cors_preflight=True,
    operator_segments=("admin",),
    runs=True,
)

WORLD: Final = World(
    apps=(
        _APP,
        replace(_APP, app_id=APP_IDS[1], group="B", public=True),
        replace(_APP, app_id=APP_IDS[2], region=BHS, operator_segments=("api", "v1"), cors_preflight=False),
        replace(_APP, app_id=APP_IDS[3], operator_segments=None, cors_preflight=False, runs=False),
        replace(_APP, app_id=APP_IDS[4], operator_segments=None, cors_preflight=False),
        replace(_APP, app_id=APP_IDS[5], group="B", operator_segments=None),
    ),
    # By the names of the stand-ins; the fourth, STRANGER, has no token.
    tokens=(
        TokenFacts(role=Role.READ_ONLY, region=GRA, groups=frozenset("A"), seconds_left=None),
        TokenFacts(role=Role.OPERATOR, region=None, groups=frozenset("A"), seconds_left=60),
        TokenFacts(role=Role.ADMIN, region=None, groups="all", seconds_left=-1),
    ),
)


def _handler(*, heard_ago: float) -> CheckHandler:
    """What decides in a replica that heard of the policy so many seconds ago, under a lease of 30."""
    time = 0.0
    index, lease = PolicyIndex(MACS, SEALS), Lease(lambda: time)
    follower = PolicyFollower(index=index, lease=lease, region=None, clock=lambda: time)
    follower.hello()
    welcome = policy_pb2.Welcome(
        policy_id="policy-1", region_domains={str(region): domain for region, domain in DOMAINS.items()}
    )
    welcome.lease.seconds = 30
    follower.receive(policy_pb2.StreamPolicyResponse(sequence=1, welcome=welcome))
    policy = WORLD.policy()
    snapshot = policy_pb2.Snapshot(
        apps=map(app_message, policy.apps),
        tokens=map(token_message, policy.tokens),
        ended_sessions=[policy_pb2.EndedSession(session_id=ENDED)],
        last=True,
    )
    follower.receive(
        policy_pb2.StreamPolicyResponse(sequence=2, answered_sequence=1, revision=1, snapshot=snapshot)
    )
    time += heard_ago
    return CheckHandler(
        policy=index,
        lease=lease,
        uses=TokenUses(),
        login_enabled=True,
        renewal=SessionRenewal(SEALS, idle=60.0),
        now=lambda: NOW,
    )


FRESH: Final = _handler(heard_ago=0.0)
STALE: Final = _handler(heard_ago=30.0)
