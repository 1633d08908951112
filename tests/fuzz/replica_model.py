"""A replica as the policy stream's documentation has it, in plain dictionaries of messages."""

import math
from collections.abc import Callable, Mapping
from typing import Final

from doorward_server.domain.credentials import Secret
from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.selectors import parse_selector
from doorward_server.domain.sessions import Session
from doorward_server.policy.v1 import policy_pb2
from tests.fuzz.targets.selectors import read_selector
from tests.unit.domain.policies import MACS

_ROLES: Final = ("READ_ONLY", "OPERATOR", "ADMIN")


class BrokenError(Exception):
    """What this replica cannot follow."""


class ReplicaModel:
    """What a replica knows after the messages of one stream after another."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.apps: dict[str, policy_pb2.App] = {}
        self.tokens: dict[str, policy_pb2.Token] = {}
        self.ended: set[str] = set()
        self._clock = clock
        self._policy_id = ""
        self._revision = 0
        self._until = -math.inf
        self.begin()

    def begin(self) -> None:
        """A new stream, with its first message."""
        self._welcome: policy_pb2.Welcome | None = None
        self._staged: list[policy_pb2.Snapshot] = []
        self._sent = [self._clock()]
        self._answered = 0

    def send(self) -> None:
        """Another message to the control plane."""
        self._sent.append(self._clock())

    def receive(self, message: policy_pb2.StreamPolicyResponse) -> None:
        """Apply a message, up to where it breaks the stream; raises `BrokenError`."""
        body = message.WhichOneof("body")
        _require((self._welcome is None) == (body == "welcome"))
        match body:
            case "welcome":
                _require(message.welcome.HasField("lease"))
                self._welcome = message.welcome
            case "snapshot":
                self._stage(message.snapshot, message.revision)
            case "changes":
                self._require_policy()
                for change in message.changes.changes:
                    self._apply(change)
        if message.revision:
            self._require_policy()
            _require(message.revision >= self._revision)
            self._revision = message.revision
        if message.answered_sequence:
            self._require_policy()
            self._renew(message.answered_sequence)

    def _stage(self, part: policy_pb2.Snapshot, revision: int) -> None:
        _require(all(map(_readable, part.tokens)))
        self._staged.append(part)
        if part.last:
            assert self._welcome is not None
            self.apps = {app.app_id: app for each in self._staged for app in each.apps}
            self.tokens = {token.token_id: token for each in self._staged for token in each.tokens}
            self.ended = {ended.session_id for each in self._staged for ended in each.ended_sessions}
            self._policy_id, self._revision, self._staged = self._welcome.policy_id, revision, []

    def _apply(self, change: policy_pb2.Change) -> None:
        match change.WhichOneof("entry"):
            case "app":
                self.apps[change.app.app_id] = change.app
            case "token":
                _require(_readable(change.token))
                self.tokens[change.token.token_id] = change.token
            case "deleted_app_id":
                self.apps.pop(change.deleted_app_id, None)
            case "deleted_token_id":
                self.tokens.pop(change.deleted_token_id, None)
            case "ended_session":
                self.ended.add(change.ended_session.session_id)
            case _:
                raise BrokenError

    def _renew(self, answered: int) -> None:
        assert self._welcome is not None
        newly = self._sent[self._answered : answered]
        if newly:
            lease = self._welcome.lease
            seconds = lease.seconds + lease.nanos / 1e9
            self._until = newly[-1] + seconds if seconds else math.inf
            self._answered += len(newly)

    def _require_policy(self) -> None:
        assert self._welcome is not None
        _require(self._welcome.policy_id == self._policy_id and not self._staged)

    def opens(self, app_id: str, secret: Secret | Session | None, *, path: str, now: float) -> bool:
        """Whether a request to an app, with a secret, a live session or nothing, may reach it."""
        app = self.apps.get(app_id)
        if self._clock() >= self._until or app is None or not app.HasField("upstream"):
            return False
        if app.public or secret is None:
            return app.public
        token = self.tokens.get(secret.token_id)
        if token is None:
            return False
        if isinstance(secret, Session):
            if secret.session_id in self.ended or secret.app_id != app_id or not token.generations:
                return False
            newest = token.generations[0]
            if newest.generation != secret.generation or _over(newest, now):
                return False
        elif not any(_live(each, secret, now) for each in token.generations):
            return False
        in_scope = token.region in ("", app.region) and _selects(token.label_selector, app.labels)
        guarded = any(f"{path}/".startswith(f"{each.rstrip('/')}/") for each in app.operator_paths)
        return in_scope and not (guarded and token.role == "READ_ONLY")


def _live(generation: policy_pb2.Generation, secret: Secret, now: float) -> bool:
    return generation.mac == MACS.mac(secret) and not _over(generation, now)


def _over(generation: policy_pb2.Generation, now: float) -> bool:
    end = generation.expire_time
    return generation.HasField("expire_time") and now >= end.seconds + end.nanos / 1e9


def _selects(label_selector: str, labels: Mapping[str, str]) -> bool:
    """Whether labels are in a scope. One that cannot be read opens nothing, and is no reason to stop."""
    try:
        parse_selector(label_selector)
    except InvalidValueError:
        return False
    return all(condition.holds(labels) for condition in read_selector(label_selector))


def _readable(token: policy_pb2.Token) -> bool:
    return token.role in _ROLES and all(len(each.mac) == 32 for each in token.generations)


def _require(followed: bool) -> None:
    if not followed:
        raise BrokenError
