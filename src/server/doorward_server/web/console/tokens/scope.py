"""What a token opens at this moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from doorward.v1.app_pb2 import APP_STATE_RUNNING, App
from doorward.v1.token_pb2 import Token
from doorward.v1.token_service_pb2 import PreviewSelectorRequest, PreviewSelectorResponse
from doorward_server.web.console.visit import Visit

SHOWN: Final = 10
"""How many apps are named."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The apps that match now."""

    apps: Sequence[App]
    """The newest, `SHOWN` at most."""
    more: bool
    """Whether there are others."""

    @property
    def url(self) -> str | None:
        """The address of one that can be tried: a running one, if there is."""
        urls = sorted((app.status.state != APP_STATE_RUNNING, app.status.url) for app in self.apps)
        return next((url for _, url in urls if url), None)


async def scope_of(visit: Visit, token: Token) -> Scope:
    """What a token opens; raises `ApiError`."""
    request = PreviewSelectorRequest(region=token.region, page_size=SHOWN)
    if token.WhichOneof("scope") == "label_selector":
        request.label_selector = token.label_selector
    else:
        request.all_apps = True
    return matching(await visit.api.call(visit.api.tokens.PreviewSelector, request))


def matching(answer: PreviewSelectorResponse) -> Scope:
    """The apps of an answer of PreviewSelector."""
    return Scope(answer.apps, bool(answer.next_page_token))
