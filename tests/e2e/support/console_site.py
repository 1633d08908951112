"""An app behind a platform with a console, and a token for it."""

from dataclasses import dataclass
from typing import Any

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.console_visitor import ConsoleVisitor
from tests.e2e.support.platform import Platform
from tests.e2e.support.raw_http import exchange


@dataclass
class Site:
    """A platform with one app, and a token that opens it."""

    platform: Platform
    app: RecordingApp
    app_id: str
    host: str
    token_id: str
    token: str

    def signed_in(self, token: str | None = None) -> ConsoleVisitor:
        """A visitor of the console with a session."""
        visitor = ConsoleVisitor.of(self.platform)
        assert visitor.sign_in(self.token if token is None else token).status == 303
        return visitor

    def rest(self, *headers: tuple[str, str], target: str = "/v1/me") -> int:
        """The status that the API answers a request with."""
        return exchange(self.platform.address, "GET", target, host="api.localhost", headers=[*headers]).status

    def app_now(self) -> Any:
        """The app as the API answers it."""
        return self.platform.json("apps", "get", self.app_id)

    def token_now(self) -> Any:
        """The token as the API answers it."""
        return self.platform.json("tokens", "get", self.token_id)


def a_site(platform: Platform, app: RecordingApp, *, role: str = "operator") -> Site:
    """Put *app* behind the platform, under a label of its own, and make a token for that label."""
    label = f"port=p{app.port}"
    made = platform.publish(app.port, label=label)
    scope = ("--role", role, "--region", "GRA", "--selector", label)
    token = platform.json("tokens", "create", "visitor", *scope)
    host = made["status"]["url"].removeprefix("http://")
    return Site(platform, app, made["appId"], host, token["token"]["tokenId"], token["secret"])
