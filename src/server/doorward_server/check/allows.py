"""Allows that were decided before, and still hold.

A client sends the same headers with each request, so what `decide` looks at is the same again, but for the
time and the policy. An allow is remembered by what is the same, and holds while the rest has not moved on:
while both entries are the very objects that it was decided by, the secret has not expired, and a session has
neither ended nor come to where it is renewed.

The policy is looked at again only after it has changed in something: what held before it did, holds.
"""

import math
from dataclasses import dataclass
from typing import Final

from doorward_server.check.bounded import Bounded
from doorward_server.check.index import PolicyIndex
from doorward_server.check.keys import Key
from doorward_server.check.messages import PackedApp, PackedToken, read_app, read_token
from doorward_server.domain.decision import Decision
from doorward_server.domain.ids import AppId, SessionId, TokenId
from doorward_server.domain.policy import PolicyToken

_KEPT: Final = 65_536
_NEVER: Final = -1


@dataclass(slots=True, kw_only=True, eq=False)
class Allow:
    """An allow, and what it rests on."""

    answer: bytes
    """The serialized CheckResponse."""
    leave: bytes
    """What to append to it where Envoy may remember it, too."""
    reason: int
    """`Reason.index`."""
    app_id: AppId
    packed_app: PackedApp
    token_id: TokenId
    packed_token: PackedToken
    session_id: SessionId | None
    """None: no session was looked at."""
    expire_time: float
    """When the secret ends, or something is due in the session, in seconds since 1970, or before."""
    domains: object
    """The regions' domains that the host was read by."""
    version: int = _NEVER
    """The policy's, when it was last looked up that this allow holds by it."""
    noted_until: float = -math.inf
    """Until when its uses count as one that was noted, in seconds since 1970."""


class Allows:
    """Remembers the allows of one index, by the requests' keys. For one thread."""

    def __init__(self, policy: PolicyIndex) -> None:
        self._policy = policy
        self._kept: Bounded[Key, Allow] = Bounded(_KEPT)

    def find(self, key: Key, now: float) -> Allow | None:
        """The allow of an equal request, if it holds at *now*, in seconds since 1970."""
        # Before anything is looked up, for another thread may change the policy meanwhile.
        version = self._policy.version
        allow = self._kept.get(key)
        if allow is None or now >= allow.expire_time:
            return None
        if allow.version != version:
            if not self._holds(allow):
                return None
            allow.version = version
        return allow

    def _holds(self, allow: Allow) -> bool:
        """Whether the policy is, in what matters to an allow, the one that it was decided by."""
        entries = self._policy.entries
        return (
            entries.apps.get(allow.app_id) is allow.packed_app
            and entries.tokens.get(allow.token_id) is allow.packed_token
            and (allow.session_id is None or allow.session_id not in entries.ended)
            and self._policy.domains is allow.domains
        )

    def remember(
        self,
        key: Key,
        decision: Decision,
        answer: bytes,
        *,
        leave: bytes,
        now: float,
        domains: object,
        until: float = math.inf,
    ) -> None:
        """Remember an allow, unless it depends on the path as well or the policy has moved on since.

        Only those of a token: who has none could have everybody else's forgotten.

        *leave* is what to append to the answer where Envoy may remember it, *now* the time of the decision,
        *domains* the index's of before it. At *until* it is forgotten.
        """
        app, token, entries = decision.app, decision.token, self._policy.entries
        if app is None or token is None or app.operator_paths:
            return
        packed_app, packed_token = entries.apps.get(app.app_id), entries.tokens.get(token.token_id)
        # Another thread changes the policy meanwhile: what was decided must be about what is there now.
        if packed_app is None or read_app(packed_app) is not app:
            return
        if packed_token is None or read_token(packed_token) is not token:
            return
        self._kept[key] = Allow(
            answer=answer,
            leave=leave,
            reason=decision.reason.index,
            app_id=app.app_id,
            packed_app=packed_app,
            token_id=token.token_id,
            packed_token=packed_token,
            session_id=None if decision.session is None else decision.session.session_id,
            expire_time=min(until, next_end(token, now)),
            domains=domains,
        )


def next_end(token: PolicyToken | None, now: float) -> float:
    """When the next of a token's live secrets ends; whichever was presented, it lives until then."""
    if token is None:
        return math.inf
    ends = (each.expire_time for each in token.secrets if each.expire_time is not None and each.live(now))
    return min(ends, default=math.inf)
