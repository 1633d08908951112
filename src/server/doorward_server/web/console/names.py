"""What tokens and apps are called, for pages that know their ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from doorward.v1.app_pb2 import App
from doorward.v1.app_service_pb2 import ListAppsRequest
from doorward.v1.token_pb2 import Token
from doorward.v1.token_service_pb2 import ListTokensRequest
from doorward_server.web.console.visit import Visit

_MOST: Final = 200
"""How many are offered, those that were made last. Others are found by their ids."""


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to choose from."""

    tokens: Sequence[Token]
    apps: Sequence[App]

    def names(self) -> dict[str, str]:
        """The name for each id."""
        names = {each.token_id: each.display_name for each in self.tokens}
        return names | {each.app_id: each.display_name for each in self.apps}


async def known(visit: Visit) -> Known:
    """The newest tokens and apps; raises `ApiError`."""
    api = visit.api
    tokens = await api.call(api.tokens.ListTokens, ListTokensRequest(page_size=_MOST))
    apps = await api.call(api.apps.ListApps, ListAppsRequest(page_size=_MOST))
    return Known(tokens.tokens, apps.apps)
