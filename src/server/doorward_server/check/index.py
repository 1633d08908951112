"""The policy in memory."""

import hmac
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from doorward_server.check.messages import (
    PackedApp,
    PackedToken,
    UnreadableEntryError,
    pack_app,
    pack_snapshot,
    pack_token,
    read_app,
    read_token,
)
from doorward_server.domain.credentials import Secret, TokenMacs
from doorward_server.domain.hosts import split_app_host
from doorward_server.domain.ids import AppId, SessionId, TokenId
from doorward_server.domain.policy import LiveSecret, PolicyApp, PolicyToken
from doorward_server.domain.sessions import Session, SessionSeals
from doorward_server.policy.v1 import policy_pb2

_log = logging.getLogger(__name__)

_ENDED_KEPT: Final = 3600.0
"""Seconds that an ended session is remembered after its own end: a clock may be put back a little."""

_DROPPED_AT_ONCE: Final = 256
"""How many entries are dropped in one step, for Checks to be answered in between."""


@dataclass(slots=True)
class Entries:
    """Apps, tokens and ended sessions by their ids."""

    apps: dict[AppId, PackedApp] = field(default_factory=dict)
    tokens: dict[TokenId, PackedToken] = field(default_factory=dict)
    ended: dict[SessionId, float] = field(default_factory=dict)
    """When each would have ended by itself, in seconds since 1970."""

    def put_app(self, app: policy_pb2.App) -> None:
        """Add an app, or put it in the place of the one with the same id."""
        self.apps[AppId(app.app_id)] = pack_app(app)

    def put_token(self, token: policy_pb2.Token) -> None:
        """Add a token, or put it in the place of the one with the same id; raises `UnreadableEntryError`."""
        self.tokens[TokenId(token.token_id)] = pack_token(token)

    def put_part(self, part: policy_pb2.Snapshot) -> None:
        """Add what is in a part, or put it in the place of what is there; raises `UnreadableEntryError`."""
        apps, tokens = pack_snapshot(part)
        self.apps.update(apps)
        self.tokens.update(tokens)
        for session in part.ended_sessions:
            self.put_ended(session)

    def put_ended(self, session: policy_pb2.EndedSession) -> None:
        """Add a session that was ended."""
        end = session.expire_time.seconds + session.expire_time.nanos / 1e9
        self.ended[SessionId(session.session_id)] = end

    def forget_ended(self, before: float) -> None:
        """Forget sessions that would have ended by themselves before *before*, oldest entries first.

        An entry may wait for one that came earlier and ends later, but no longer than a session lasts.
        """
        while self.ended and self.ended[oldest := next(iter(self.ended))] < before:
            del self.ended[oldest]

    def clear(self) -> None:
        """Drop everything, in small steps: a million entries at once would hold up every other thread."""
        for table in (self.apps, self.tokens, self.ended):
            while table:
                for _ in range(min(len(table), _DROPPED_AT_ONCE)):
                    table.popitem()


class PolicyIndex:
    """Implements `domain.policy.PolicyView`. One thread changes it while others look things up.

    Without a lock: entries are immutable, and a lookup is one read of one dictionary, so it sees an entry as
    it was before a change or as it is after. A request after the acknowledgement of a change sees the change.
    """

    def __init__(
        self, macs: TokenMacs, seals: SessionSeals | None = None, *, now: Callable[[], float] = time.time
    ) -> None:
        """*seals* open the sessions; None: no session opens anything. *now*: seconds since 1970."""
        self._macs = macs
        self._seals = seals
        self._now = now
        self.entries: Entries = Entries()
        """The entries of this moment. To be looked things up in, and changed by the index alone."""
        self.domains: Mapping[str, str] = {}
        """The regions: name to the domain of its apps. Another object whenever one has changed."""
        self.version: int = 0
        """Another after each change. What was looked up since it was read holds while it is the same."""

    def __len__(self) -> int:
        return len(self.entries.apps) + len(self.entries.tokens)

    def app(self, app_id: AppId) -> PolicyApp | None:
        packed = self.entries.apps.get(app_id)
        return None if packed is None else read_app(packed)

    def app_at(self, host: str) -> PolicyApp | None:
        parts = split_app_host(host)
        if parts is None:
            return None
        app_id, domain = parts
        app = self.app(app_id)
        return app if app is not None and self.domains.get(app.region) == domain else None

    def token(self, token_id: TokenId) -> PolicyToken | None:
        packed = self.entries.tokens.get(token_id)
        if packed is None:
            return None
        try:
            return read_token(packed)
        except UnreadableEntryError as error:
            # What cannot be understood opens nothing.
            _log.error("%s", error)
            return None

    def session(self, sealed: bytes) -> Session | None:
        return None if self._seals is None else self._seals.open(sealed)

    def is_ended(self, session_id: SessionId) -> bool:
        return session_id in self.entries.ended

    def authenticate(self, secret: Secret) -> tuple[PolicyToken, LiveSecret] | None:
        mac = self._macs.mac(secret)
        token = self.token(secret.token_id)
        if token is None:
            return None
        for live in token.secrets:
            if hmac.compare_digest(live.mac, mac):
                return token, live
        return None

    def set_domains(self, domains: Mapping[str, str]) -> None:
        """Set the regions: name to the domain of its apps."""
        if self.domains != domains:
            self.domains = dict(domains)
            self._changed()

    def replace(self, entries: Entries) -> None:
        """Put *entries*, which become the index's own, in the place of everything, at one stroke."""
        former, self.entries = self.entries, entries
        self._changed()
        former.clear()

    def put_app(self, app: policy_pb2.App) -> None:
        """Add an app, or put it in the place of the one with the same id."""
        self.entries.put_app(app)
        self._changed()

    def put_token(self, token: policy_pb2.Token) -> None:
        """Add a token, or put it in the place of the one with the same id; raises `UnreadableEntryError`."""
        self.entries.put_token(token)
        self._changed()

    def end_session(self, session: policy_pb2.EndedSession) -> None:
        """Note that a session has ended, and forget those that have long ended by themselves."""
        self.entries.forget_ended(self._now() - _ENDED_KEPT)
        self.entries.put_ended(session)
        self._changed()

    def remove_app(self, app_id: AppId) -> None:
        """Remove an app, if there is one."""
        self.entries.apps.pop(app_id, None)
        self._changed()

    def remove_token(self, token_id: TokenId) -> None:
        """Remove a token, if there is one."""
        self.entries.tokens.pop(token_id, None)
        self._changed()

    def _changed(self) -> None:
        # After the change, never before: who reads the number in between looks at what was there before.
        self.version += 1
