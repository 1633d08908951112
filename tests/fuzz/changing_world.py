"""A policy that changes while requests come, in a replica that remembers and lets Envoy remember.

Every time is a multiple of an eighth of a second, so that each end is the same moment for everybody.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Final

from doorward_server.check.follower import PolicyFollower
from doorward_server.check.handler import CheckHandler
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.remembering import LONGEST, Remembering
from doorward_server.check.sessions import SessionRenewal
from doorward_server.check.uses import TokenUses
from doorward_server.domain.policy import PolicyToken
from doorward_server.policy.v1 import policy_pb2
from doorward_server.rpc.policy_messages import app_message, token_message
from tests.fuzz.world import WORLD
from tests.support.derived import derived_secret
from tests.unit.domain.decision_oracle import LIVE, NOW, SECRETS, AppFacts, TokenFacts, World
from tests.unit.domain.policies import DOMAINS, MACS, SEALS, live_secret

LEASE: Final = 30
"""Seconds."""

_OVER: Final = -1.0


@dataclass(frozen=True)
class AppState:
    """An app, or where there was one."""

    facts: AppFacts
    there: bool = True


@dataclass(frozen=True)
class TokenState:
    """A token, or where there was one; the end of the secret that is presented counts from the beginning."""

    facts: TokenFacts
    there: bool = True
    regenerated: bool = False

    def entry(self, number: int) -> PolicyToken:
        """The token as a replica holds it."""
        entry = self.facts.entry(number)
        if not self.regenerated:
            return entry
        newest = live_secret(derived_secret(f"regenerated {number}"), generation=2)
        return replace(entry, secrets=(newest, *entry.secrets))


@dataclass(frozen=True)
class Facts:
    """What is so at a revision."""

    apps: tuple[AppState, ...] = tuple(AppState(each) for each in WORLD.apps)
    tokens: tuple[TokenState, ...] = tuple(TokenState(each) for each in WORLD.tokens)
    ended: bool = False
    """Whether the sessions were ended."""

    def at(self, elapsed: float) -> World:
        """The same for the oracle, so many seconds after the beginning."""
        return World(
            apps=tuple(each.facts for each in self.apps),
            tokens=tuple(replace(each.facts, seconds_left=_left(each, elapsed)) for each in self.tokens),
        )


def _left(token: TokenState, elapsed: float) -> float | None:
    """How long the secret lives that is presented."""
    if not token.there:
        return _OVER
    left = token.facts.seconds_left
    return None if left is None else left - elapsed


@dataclass
class ChangingReplica:
    """A replica that follows the changes of a control plane, and its own report of how far it has come."""

    remembered: float | None = None
    """For how many seconds it takes an allow to be repeated; None: for as long as it lets Envoy."""
    elapsed: float = 0.0
    facts: Facts = field(default_factory=Facts)

    def __post_init__(self) -> None:
        index, self.lease = PolicyIndex(MACS, SEALS), Lease(lambda: self.elapsed)
        remembering = Remembering(lifetime=LONGEST, lease=self.lease)
        self._follower = PolicyFollower(
            index=index,
            lease=self.lease,
            region=None,
            clock=lambda: self.elapsed,
            remembered=remembering.seconds if self.remembered is None else self.remembered,
        )
        self.handle = CheckHandler(
            policy=index,
            lease=self.lease,
            uses=TokenUses(),
            login_enabled=False,
            renewal=SessionRenewal(SEALS, idle=60.0),
            remembering=remembering,
            now=lambda: NOW + self.elapsed,
        )
        self._follower.hello()
        self._sent, self._received = 1, 0
        domains = {str(region): domain for region, domain in DOMAINS.items()}
        welcome = policy_pb2.Welcome(policy_id="policy-1", region_domains=domains)
        welcome.lease.seconds = LEASE
        self._receive(welcome=welcome)
        snapshot = policy_pb2.Snapshot(
            apps=[app_message(each.facts.entry()) for each in self.facts.apps],
            tokens=[token_message(each.entry(number)) for number, each in enumerate(self.facts.tokens)],
            last=True,
        )
        self._history = [self.facts]
        self._receive(revision=1, answered_sequence=1, snapshot=snapshot)
        self._acknowledged = 0
        self.report()

    @property
    def in_force(self) -> list[Facts]:
        """What Envoy may still let through by: the facts that were acknowledged last, and later ones."""
        return self._history[max(self._acknowledged - 1, 0) :]

    def report(self) -> None:
        """Tell the control plane which revision is in force."""
        self._acknowledged = self._follower.report().applied_revision
        self._sent += 1

    def answered(self) -> None:
        """The control plane answers all reports, which renews the lease."""
        self._receive(answered_sequence=self._sent)

    def put_app(self, number: int, state: AppState) -> None:
        """An app has changed, or is gone."""
        apps = (*self.facts.apps[:number], state, *self.facts.apps[number + 1 :])
        change = policy_pb2.Change(deleted_app_id=state.facts.app_id)
        if state.there:
            change = policy_pb2.Change(app=app_message(state.facts.entry()))
        self._change(replace(self.facts, apps=apps), change)

    def put_token(self, number: int, state: TokenState) -> None:
        """A token has changed, or is gone."""
        tokens = (*self.facts.tokens[:number], state, *self.facts.tokens[number + 1 :])
        change = policy_pb2.Change(deleted_token_id=SECRETS[number].token_id)
        if state.there:
            change = policy_pb2.Change(token=token_message(state.entry(number)))
        self._change(replace(self.facts, tokens=tokens), change)

    def end_sessions(self) -> None:
        """Everybody logs out."""
        ended = policy_pb2.EndedSession(session_id=LIVE)
        ended.expire_time.seconds = int(NOW) + 3600
        self._change(replace(self.facts, ended=True), policy_pb2.Change(ended_session=ended))

    def _change(self, facts: Facts, change: policy_pb2.Change) -> None:
        self.facts = facts
        self._history.append(facts)
        self._receive(revision=len(self._history), changes=policy_pb2.Changes(changes=[change]))

    def _receive(self, **fields: Any) -> None:
        self._received += 1
        self._follower.receive(policy_pb2.StreamPolicyResponse(sequence=self._received, **fields))
