"""Stands in for what begins and ends sessions."""

from dataclasses import dataclass, field

from doorward_server.domain.credentials import Secret
from doorward_server.web.logins import Refusal


@dataclass
class FakeLogins:
    """Answers what it is told to, and notes what it was asked."""

    answer: str | Refusal
    ends: bool = True
    begun: list[tuple[Secret, str]] = field(default_factory=list)
    ended: list[bytes] = field(default_factory=list)

    async def begin(self, secret: Secret, host: str) -> str | Refusal:
        """Implements `Logins`."""
        self.begun.append((secret, host))
        return self.answer

    async def end(self, sealed: bytes) -> bool:
        """Implements `Logins`."""
        self.ended.append(sealed)
        return self.ends
