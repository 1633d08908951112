"""Somebody with a browser at the console, as Envoy and the console see them."""

from urllib.parse import quote

from tests.e2e.support.platform import Platform
from tests.e2e.support.raw_http import Answer
from tests.e2e.support.visitor import Visitor

CONSOLE_SESSION = "__Host-doorward-console"


class ConsoleVisitor(Visitor):
    """Keeps the cookies of the console's host."""

    @classmethod
    def of(cls, platform: Platform) -> "ConsoleVisitor":
        """Somebody who was never here."""
        return cls(platform.address, f"console.localhost:{platform.address[1]}")

    def sign_in(self, token: str, target: str = "/apps") -> Answer:
        """From an address to that page; answers what the sign-in does."""
        page = self.go(f"/sign-in?next={quote(target, safe='')}")
        assert page.status == 200, page
        return self.submit(page, token=token)

    def sign_out(self) -> Answer:
        """By the button that every page has."""
        return self.post("/sign-out")

    def post(self, target: str, **fields: str) -> Answer:
        """Send a form of the console's own page."""
        key = self.cookies.get("__Host-doorward-form", "")
        return self.send_form(target, {"form": key, **fields})

    @property
    def console_session(self) -> str:
        """The session's credential."""
        return self.cookies[CONSOLE_SESSION]
