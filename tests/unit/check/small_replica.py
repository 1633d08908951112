"""A check replica without its socket, before a policy and under clocks that a test moves."""

from typing import Any

from doorward_server.check.handler import CheckHandler
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.uses import TokenUses
from doorward_server.domain.credentials import Secret
from doorward_server.domain.policy import PolicyApp, PolicyToken
from doorward_server.rpc.policy_messages import app_message, token_message
from tests.unit.check.answer import Answer, read_answer
from tests.unit.check.check_requests import check_request
from tests.unit.domain.policies import DOMAINS, MACS, SEALS

NOW = 2_000_000_000.0
LEASE = 30.0


class SmallReplica:
    """What a check process has inside, but for its threads."""

    def __init__(self, *entries: PolicyApp | PolicyToken, login_enabled: bool = False) -> None:
        self.now = NOW
        """Seconds since 1970."""
        self.boottime = 0.0
        self.index = PolicyIndex(MACS, SEALS)
        self.index.set_domains({str(region): domain for region, domain in DOMAINS.items()})
        self.lease = Lease(lambda: self.boottime)
        self.uses = TokenUses()
        self.handle = CheckHandler(
            policy=self.index,
            lease=self.lease,
            uses=self.uses,
            login_enabled=login_enabled,
            now=lambda: self.now,
        )
        for entry in entries:
            self.put(entry)
        self.renew_lease()

    def put(self, entry: PolicyApp | PolicyToken) -> None:
        """Put an entry into the policy as the stream does."""
        match entry:
            case PolicyApp():
                self.index.put_app(app_message(entry))
            case PolicyToken():
                self.index.put_token(token_message(entry))

    def renew_lease(self) -> None:
        """Hear from the control plane."""
        self.lease.renew(self.boottime, LEASE)

    def lose_lease(self) -> None:
        """Hear nothing from it for too long."""
        self.boottime += LEASE

    def ask(self, **request: Any) -> Answer:
        """The answer to one request, which is described as for `check_request`."""
        return read_answer(self.handle(check_request(**request)))


def bearer(secret: Secret) -> tuple[str, bytes]:
    """The header that presents a secret."""
    return "authorization", b"Bearer " + secret.encode()
