"""Answers Checks: a request in, the decision out."""

import time
from collections.abc import Callable

from doorward_server.check.answers import Answers, to_login, unreadable
from doorward_server.check.denials import Form
from doorward_server.check.lease import Lease
from doorward_server.check.requests import UnreadableRequestError, read_request
from doorward_server.check.uses import TokenUses
from doorward_server.domain.decision import Reason, decide
from doorward_server.domain.policy import PolicyView


class CheckHandler:
    """The `Handler` of a transport: called by one thread, one call at a time. Never blocks."""

    def __init__(
        self,
        *,
        policy: PolicyView,
        lease: Lease,
        uses: TokenUses,
        login_enabled: bool,
        now: Callable[[], float] = time.time,
    ) -> None:
        """*login_enabled*: browsers without a token are sent to the login page. *now*: seconds since 1970."""
        self._policy = policy
        self._lease = lease
        self._uses = uses
        self._login_enabled = login_enabled
        self._now = now
        self._answers = Answers()
        self._unreadable = unreadable()

    def __call__(self, payload: bytes) -> bytes:
        """Answer a serialized CheckRequest with a serialized CheckResponse. Whatever is odd is denied."""
        try:
            request = read_request(payload)
        except UnreadableRequestError:
            return self._unreadable
        now = self._now()
        decision = decide(request.decided_by, self._policy, now=now, fresh=self._lease.fresh)
        if decision.token is not None:
            self._uses.record(decision.token.token_id, now)
        if decision.reason is Reason.NO_CREDENTIAL and self._login_enabled and request.form is Form.PAGE:
            return to_login(decision, request.decided_by.path)
        return self._answers.encode(decision, remove=request.remove, form=request.form)
