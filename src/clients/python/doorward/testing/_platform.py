"""What a platform for tests is, to this package: the server that is installed beside it offers one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a check replica has decided about an HTTP request, and what Envoy makes of it."""

    allowed: bool
    """Whether the request reaches the app."""
    status: int
    """The status that the client gets; 200 when the request is allowed, and the app's own then."""
    reason: str
    """Why, by the name in Envoy's access log, such as `OUT_OF_SCOPE`."""
    headers: Mapping[str, str]
    """Those that the app gets besides the client's own when allowed, else those of the answer."""
    removed: Sequence[str]
    """Headers of the client that the app does not get: the credential that was used."""
    body: str = field(repr=False)
    """What the answer says when the request is denied."""


class Platform(Protocol):
    """Api and a check replica, running on a thread of their own."""

    @property
    def address(self) -> str:
        """The api's `host:port`."""

    @property
    def admin_token(self) -> str:
        """The secret of the first ADMIN token."""

    def decide(self, *, host: str, method: str, path: str, headers: Sequence[tuple[str, str]]) -> Decision:
        """Decide about a request as the replica does for Envoy."""

    def open_port(self) -> str:
        """Open a port where every HTTP request is answered with 200 and nothing, and return its address."""

    def stop(self) -> None:
        """Stop everything and remove what was kept. Safe to call again."""


class Start(Protocol):
    """What the installed server offers under the entry point `doorward.testing`."""

    def __call__(self, *, regions: Mapping[str, str]) -> Platform:
        """Start a platform with these regions: name to the domain of its apps."""
