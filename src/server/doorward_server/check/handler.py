"""Answers Checks: a request in, the decision out."""

import math
import time
from collections.abc import Callable
from typing import Final

from doorward_server.check.allows import Allows, next_end
from doorward_server.check.answers import Answers, to_login, unreadable, with_cookie
from doorward_server.check.denials import Form
from doorward_server.check.index import PolicyIndex
from doorward_server.check.keys import Key, Keys
from doorward_server.check.lease import Lease
from doorward_server.check.remembering import Remembering
from doorward_server.check.requests import (
    HttpRequest,
    UnreadableRequestError,
    parse_request,
    read_request,
)
from doorward_server.check.sessions import SessionRenewal
from doorward_server.check.tally import CheckTally
from doorward_server.check.uses import TokenUses
from doorward_server.domain.decision import Reason, decide
from doorward_server.domain.sessions import Session

_LOGIN_HELPS: Final = frozenset({Reason.NO_CREDENTIAL, Reason.UNKNOWN_SESSION, Reason.EXPIRED_SESSION})
"""The denials that a new session would put an end to."""


class CheckHandler:
    """The `Handler` of a transport: called by one thread, one call at a time. Never blocks."""

    def __init__(
        self,
        *,
        policy: PolicyIndex,
        lease: Lease,
        uses: TokenUses,
        login_enabled: bool,
        renewal: SessionRenewal | None = None,
        tally: CheckTally | None = None,
        remembering: Remembering | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """*login_enabled*: browsers without a token or a live session are sent to the login page.

        *renewal* renews the sessions that are used; None: each ends as if nobody used it. *now*: seconds
        since 1970.
        *remembering*: what Envoy may repeat without asking. None: nothing.
        """
        self._tally = CheckTally() if tally is None else tally
        self._policy = policy
        self._lease = lease
        self._uses = uses
        self._login_enabled = login_enabled
        self._remembering = remembering or Remembering(lifetime=0, lease=lease)
        self._renewal = renewal
        self._now = now
        self._keys = Keys()
        self._allows = Allows(policy)
        self._answers = Answers()
        self._unreadable = unreadable()

    def __call__(self, payload: bytes) -> bytes:
        """Answer a serialized CheckRequest with a serialized CheckResponse. Whatever is odd is denied."""
        try:
            key, now = self._keys.key(payload), self._now()
            if self._lease.fresh and (allow := self._allows.find(key, now)) is not None:
                self._tally.decided[allow.reason] += 1
                if now >= allow.noted_until:
                    allow.noted_until = self._uses.record(allow.token_id, now)
                if allow.leave and self._remembering.is_forgotten_by(allow.expire_time, now=now):
                    return allow.answer + allow.leave
                return allow.answer
            return self._decide(read_request(parse_request(payload)), key, now)
        except UnreadableRequestError:
            self._tally.unreadable += 1
            return self._unreadable

    def _decide(self, request: HttpRequest, key: Key, now: float) -> bytes:
        domains = self._policy.domains
        decision = decide(request.decided_by, self._policy, now=now, fresh=self._lease.fresh)
        self._tally.decided[decision.reason.index] += 1
        if decision.token is not None:
            self._uses.record(decision.token.token_id, now)
        if decision.reason in _LOGIN_HELPS and self._login_enabled and request.form is Form.PAGE:
            return to_login(decision, request.decided_by.path)
        answer = self._answers.encode(decision, remove=request.remove, form=request.form)
        if not decision.allowed:
            return answer
        leave = self._remembering.leave(decision, request.decided_by, remove=request.remove)
        until = math.inf
        if (session := decision.session) is not None:
            if (cookie := self._renewed(session, request, now)) is not None:
                return with_cookie(answer, cookie)
            until = self._due_time(session)
        self._allows.remember(key, decision, answer, leave=leave, now=now, domains=domains, until=until)
        if leave and self._remembering.is_forgotten_by(next_end(decision.token, now), now=now):
            return answer + leave
        return answer

    def _renewed(self, session: Session, request: HttpRequest, now: float) -> str | None:
        if self._renewal is None:
            return None
        if request.opens_websocket:
            return self._renewal.websocket_cookie(session, now)
        return self._renewal.cookie(session, now)

    def _due_time(self, session: Session) -> float:
        """When something is to be done about a session: it is renewed, or it ends."""
        due = None if self._renewal is None else self._renewal.due_time(session)
        return session.idle_end if due is None else due
