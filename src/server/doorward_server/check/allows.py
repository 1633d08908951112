"""Allows that were decided before, and still hold.

A client sends the same headers with each request, so what `decide` looks at is the same again, but for the
time and the policy. An allow is remembered by what is the same, and holds while the rest has not moved on:
while both entries are the very objects that it was decided by, the secret has not expired, and a session has
neither ended nor come to where it is renewed.
"""

import hashlib
import math
import secrets
from typing import Final, NamedTuple, TypeAlias

from doorward_server.check.bounded import Bounded
from doorward_server.check.index import PolicyIndex
from doorward_server.check.messages import PackedApp, PackedToken, read_app, read_token
from doorward_server.domain.decision import Decision, Reason
from doorward_server.domain.ids import AppId, SessionId, TokenId
from doorward_server.domain.policy import PolicyToken
from doorward_server.extauthz.v1 import check_request_pb2

_KEPT: Final = 65_536

Key: TypeAlias = tuple[bytes, str, str, str | None]
"""What a decision looked at in a request, path and time aside: headers, host, method, and the route's app."""


class Allow(NamedTuple):
    """An allow, and what it rests on."""

    answer: bytes
    """The serialized CheckResponse."""
    leave: bytes
    """What to append to it where Envoy may remember it, too."""
    reason: Reason
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


class Allows:
    """Remembers the allows of one index. For one thread.

    Headers hold secrets, so they are not kept: a key has their digest, under a key of its own.
    """

    def __init__(self, policy: PolicyIndex) -> None:
        self._policy = policy
        self._kept: Bounded[Key, Allow] = Bounded(_KEPT)
        self._keyed = hashlib.blake2b(key=secrets.token_bytes(32), digest_size=32)

    def key(self, attributes: check_request_pb2.Attributes) -> Key | None:
        """What a decision looks at in a request; None where there is nothing to recognise it by."""
        http = attributes.request.http
        headers = http.header_map
        if not headers:
            return None
        digest = self._keyed.copy()
        digest.update(b"".join(headers))
        route = attributes.context_extensions
        return digest.digest(), http.host, http.method, route.get("app_id")

    def find(self, key: Key, now: float) -> Allow | None:
        """The allow of an equal request, if it holds at *now*, in seconds since 1970."""
        allow = self._kept.get(key)
        if allow is None:
            return None
        _, _, _, app_id, packed_app, token_id, packed_token, session_id, expire_time, domains = allow
        policy = self._policy
        entries = policy.entries
        if (
            entries.apps.get(app_id) is packed_app
            and entries.tokens.get(token_id) is packed_token
            and (session_id is None or session_id not in entries.ended)
            and now < expire_time
            and policy.domains is domains
        ):
            return allow
        return None

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
            reason=decision.reason,
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
